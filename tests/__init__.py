"""Tests: mirrors of the package, the simulator, real servers, and the house rules."""
