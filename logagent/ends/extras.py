"""Packages that only some outputs need: what to say where they aren't installed.

Knows names of packages. Must not import one.
"""

from importlib.util import find_spec


def need(extra: str, *packages: str) -> None:
    """Raise ValueError unless the packages of an extra are installed."""
    if missing := [name for name in packages if find_spec(name) is None]:
        text = f"it needs {' and '.join(missing)}: install 'logagent[{extra}]'"
        raise ValueError(text)
