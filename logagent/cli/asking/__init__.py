"""What an output's server says when it is asked: reachable, credentials, permission, version.

A module for each kind of output, with `ask(output)`: a Finding for each host and each thing that
lines need there. Must not write anything to a server.
"""

from typing import NamedTuple

__all__ = ["Finding"]


class Finding(NamedTuple):
    """One line about an output, and whether the output can be used."""

    text: str
    good: bool = True
