"""Tests with real servers and real processes; they need Java 17, Maven and Linux."""
