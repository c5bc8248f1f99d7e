"""Tests of `logagent/codecs`."""
