"""Benchmarks: what a line costs. Nothing in the package imports this; see docs/performance.md."""
