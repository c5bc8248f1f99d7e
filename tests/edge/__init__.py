"""Tests of `logagent/edge`."""
