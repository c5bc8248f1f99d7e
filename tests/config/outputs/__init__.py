"""Tests of `logagent/config/outputs`."""
