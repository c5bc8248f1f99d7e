"""Pure: raw events of a chunk → the rows of one output, in one call a chunk."""
