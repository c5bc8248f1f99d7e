"""Tests of the demo's writer, receiver and of the demo itself."""
