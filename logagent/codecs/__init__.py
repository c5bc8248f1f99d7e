"""Pure: how each output frames rows, packs a body and judges a reply."""
