"""The simulator: the production pipeline on virtual time, in a world of models and faults."""
