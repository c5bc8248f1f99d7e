"""Tests of `logagent/config`."""
