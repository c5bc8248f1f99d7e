"""The house rules as functions over text; `tests/test_tidy.py` holds the repository to them."""
