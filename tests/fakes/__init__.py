"""Small stand-ins for the ports, and rigs that drive the logic by hand.

Nothing in here has faults of its own accord: a test says what fails, and when.
"""
