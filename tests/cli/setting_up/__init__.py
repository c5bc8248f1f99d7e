"""Tests of `logagent/cli/setting_up`."""
