"""Tests of `logagent/core`."""
