"""`logagent version`: what is running, for bug reports."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from logagent import __version__
from logagent.cli.usage import Parser

ABOUT = """\
Print the version of logagent, of Python and of the libraries that its speed comes from."""
_LIBRARIES = {
    "msgspec": "validates JSON, and the configuration",
    "orjson": "writes changed documents",
    "isal": "compresses",
    "uvloop": "the event loop",
    "h11": "HTTP",
    "PyYAML": "the configuration's files",
}


def main(args: Sequence[str]) -> int:
    """Print the versions."""
    Parser("version", ABOUT, "logagent version").parse_args(args)
    print(f"logagent  {__version__}")
    implementation = platform.python_implementation()
    print(f"Python    {platform.python_version()} ({implementation}, {platform.machine()})")
    print(f"system    {platform.system()} {platform.release()}")
    for name, purpose in _LIBRARIES.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "is missing"
        print(f"{name:<9} {found} ({purpose})")
    return 0
