"""What the rules of a configuration need to know of a glob: its fixed root, and what it matches.

`*` and `?` stay within one component, `**` is any number of directories, `[...]` a set, `{a,b}` a
choice. The agent itself uses core/patterns.py, which a configuration may not import; a test holds
the two together. Must not touch a file system.
"""

from __future__ import annotations

import re
from typing import Final

_WILD: Final = re.compile(r"[*?\[{]")
_TOKEN: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[[^/][^\]/]*\]|[{},]|.", re.DOTALL)
_PLAIN: Final = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def root_of(glob: str) -> str:
    """The directory that a glob starts from: all components before the first one with a wildcard,
    or, for a plain path, the file's directory. `/` when there is none."""
    fixed: list[str] = []
    for component in glob.split("/")[1:-1]:
        if _WILD.search(component):
            break
        fixed.append(component)
    return "/" + "/".join(fixed)


def below(path: str, root: str) -> bool:
    """Whether `path` is `root` or inside it, by names alone."""
    base = root.rstrip("/")
    return path.rstrip("/") == base or path.startswith(base + "/")


def matches(path: str, glob: str) -> bool:
    """Whether an absolute path matches a glob (one without a leading `/` matches anywhere)."""
    return re.fullmatch(_pattern(glob), path, re.DOTALL) is not None


def bad_glob(glob: str) -> str:
    """What is wrong with a glob of an input's `paths`, "" if nothing is."""
    if not glob.startswith("/"):
        return "is not absolute; start it with /"
    if glob.endswith("/"):
        return f"names a directory; write {glob}*.log or {glob}**/*.log"
    if ".." in glob.split("/") or "\0" in glob:
        return "has .. or a NUL in it"
    if root_of(glob) == "/":
        return "has no fixed directory to start from; name one, such as /var/log/app/**/*.log"
    return bad_exclude(glob)


def bad_exclude(glob: str) -> str:
    """What is wrong with a glob of `exclude`, "" if nothing is."""
    if not glob:
        return "is empty"
    for component in glob.split("/"):
        if "**" in component and component != "**":
            return f"has ** inside {component}; ** stands alone between slashes"
        if "[" in component and "]" not in component[component.index("[") + 2 :]:
            return f"has a [ without its ] inside {component}"
    if glob.count("{") != glob.count("}"):
        return "has a { without its }"
    try:
        re.compile(_pattern(glob))
    except re.error:
        return "has a [set] that makes no sense"
    return ""


def _pattern(glob: str) -> str:
    if not glob.startswith("/"):
        glob = "/**/" + glob.removeprefix("**/")
    out: list[str] = []
    braces = 0
    for match in _TOKEN.finditer(glob):
        token = match[0]
        if token == "{" and "}" in glob[match.end() :]:
            braces += 1
            out.append("(?:")
        elif token == "}" and braces:
            braces -= 1
            out.append(")")
        elif token == "," and braces:
            out.append("|")
        elif token.startswith("[") and len(token) > 2:
            body = token[1:-1].replace("\\", "\\\\")
            out.append(f"[^{body[1:]}]" if body[0] in "!^" else f"[{body}]")
        else:
            out.append(_PLAIN.get(token) or re.escape(token))
    return "".join(out)
