"""Tests of `logagent/cli`."""
