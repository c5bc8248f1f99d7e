"""Glob patterns: which root a pattern lies under, how deep it reaches, which paths it matches.

Knows `*`, `?`, `[…]`, `{a,b}` and `**` (any number of directories). Must not touch a directory.
Paths are bytes relative to the root.
"""

import re
from collections.abc import Collection
from typing import Final, NamedTuple

DEPTH_MAX: Final = 3
"""How many directories `**` goes down. A hostile app can build a tree as deep as it likes; peers
that descend without limit spend their CPU there (vector#3567)."""

_WILD: Final = re.compile(r"[*?\[{]")


class Pattern(NamedTuple):
    """A compiled glob: `root` is its longest part without wildcards, `depth` how many directories
    below the root can hold a match."""

    root: str
    depth: int
    match: re.Pattern[bytes]


def compile_pattern(glob: str, roots: Collection[str] = ()) -> Pattern:
    """Compile an absolute glob such as `/var/log/app/**/*.log`.

    A root of `roots` that lies above the pattern's own is taken instead, the topmost: else one
    file would be found under two roots and be two. Raises ValueError when the glob isn't absolute,
    names a directory, or holds `..`.
    """
    if not glob.startswith("/"):
        raise ValueError(f"{glob!r} is not an absolute path")
    if glob.endswith("/") or ".." in glob.split("/"):
        raise ValueError(f"{glob!r} must name files, without '..'")
    parts = glob.split("/")[1:]
    wild = next((i for i, part in enumerate(parts) if _WILD.search(part)), len(parts) - 1)
    own = "/" + "/".join(parts[:wild])
    above = [r for r in roots if f"{own}/".startswith(f"{r.rstrip('/')}/")]
    root = min(above, key=len, default=own)
    below = parts[len([part for part in root.split("/") if part]) :]
    depth = below.index("**") + DEPTH_MAX if "**" in below else len(below) - 1
    return Pattern(root, depth, re.compile(_translate("/".join(below)), re.DOTALL))


def compile_exclude(glob: str) -> re.Pattern[bytes]:
    """Compile an exclude: an absolute glob, or one that is matched against any path's end
    (`*.tmp` means `**/*.tmp`)."""
    if not glob.startswith("/"):
        glob = "/**/" + glob.removeprefix("**/")
    return re.compile(_translate(glob), re.DOTALL)


def _translate(glob: str) -> bytes:
    """The regular expression of a glob, for `fullmatch` on bytes."""
    out: list[str] = []
    i = 0
    braces = 0
    while i < len(glob):
        char = glob[i]
        if glob.startswith("**/", i):
            out.append("(?:[^/]+/)*")
            i += 3
            continue
        if glob.startswith("**", i):
            out.append(".*")
            i += 2
            continue
        if char == "[" and (end := glob.find("]", i + 2)) > 0:
            negated = glob[i + 1] in "!^"
            body = glob[i + 1 + negated : end]
            body = "".join(c if c == "-" else re.escape(c) for c in body)
            out.append(f"(?!/)[{'^' * negated}{body}]")  # a class is a character of a name
            i = end + 1
            continue
        if char == "{" and "}" in glob[i:]:
            braces += 1
            out.append("(?:")
        elif char == "}" and braces:
            braces -= 1
            out.append(")")
        elif char == "," and braces:
            out.append("|")
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char))
        i += 1
    return "".join(out).encode()
