"""Tests of `logagent/ends`."""
