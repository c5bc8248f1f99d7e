"""Tests of the package `logagent.render`."""
