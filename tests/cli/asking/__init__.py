"""Tests of `logagent/cli/asking`."""
