"""Rules for single values: URLs, addresses, index and data stream names, globs' neighbours.

Each function says in a few words what is wrong, or "" if nothing is. Must not know which option
asks. Sources: Elasticsearch's create-index API ("Path parameters") for index names, its data stream
naming scheme for the parts of a data stream's name.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]+))?"
    r"(?P<path>/[^\s?#]*)?"
)
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):(?P<port>[0-9]{1,5})")
_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS: Final = frozenset(
    {"authorization", "connection", "content-encoding", "content-length", "content-type", "host"}
    | {"transfer-encoding"}
)
"""Headers that follow from other options, or from the body."""

_IN_NAMES: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
"""What the name of an index or a data stream is made of. The servers allow a little more; these
need no escaping in a URL or in JSON."""
_PARTS: Final = re.compile(r"\{[^{}]*\}")
"""What is filled in while running: choosing.py checks it, and it becomes legal whatever it is."""
_DIRECTIVES: Final = {"%Y": "2026", "%m": "11", "%d": "24", "%H": "10"}
"""What an index name may contain, with a text of the length that it becomes."""


def bad_url(url: str) -> str:
    """What is wrong with the URL of an HTTP server."""
    match = _URL.fullmatch(url)
    if match is None:
        if "://" not in url:
            return f"needs a scheme: write https://{url}" if url else "is empty"
        if "@" in url:
            return "has credentials in it; write them under auth, in files"
        if "?" in url or "#" in url:
            return "has a query or fragment; only scheme, host, port and path are used"
        return "is not a URL such as https://es-1.example:9200"
    if match["port"] and not 1 <= int(match["port"]) <= 65535:
        return f"has the port {match['port']}, which is not between 1 and 65535"
    return ""


def bad_address(address: str) -> str:
    """What is wrong with host:port to listen on (port 0 = any free one)."""
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        return 'is not host:port such as 0.0.0.0:9598 or [::]:9598 ("" turns it off)'
    return ""


def split_address(address: str) -> tuple[str, int]:
    """Host (without brackets) and port of a good address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def bad_index(name: str) -> str:
    """What is wrong with an index name that may contain %Y, %m, %d, %H, and parts in braces."""
    plain = _PARTS.sub("x", name)
    for directive, example in _DIRECTIVES.items():
        plain = plain.replace(directive, example)
    if "%" in plain:
        return "has a % that is none of %Y, %m, %d, %H"
    if plain.startswith(("-", "_", ".")):
        return "starts with -, _ or ."
    if len(plain.encode()) > 255:
        return "is longer than 255 bytes"
    if plain != plain.lower():
        lower = name.lower().replace("%y", "%Y").replace("%h", "%H")
        return f"has capital letters; write {lower}"
    return _bad_characters(plain)


def bad_stream_part(part: str, *, dash: bool) -> str:
    """What is wrong with a part of a data stream's name; `dash` = whether it may contain -. It may
    have parts in braces."""
    part = _PARTS.sub("x", part)
    if not part:
        return "is empty"
    if "%" in part:
        return "has a %; the name of a data stream has no dates"
    if not dash and "-" in part:
        return "has a -, which separates the parts of a data stream's name; write _"
    if part.startswith(("_", "-", ".")):
        return "starts with -, _ or ."
    if len(part.encode()) > 100:
        return "is longer than 100 bytes"
    return _bad_characters(part)


def bad_header(name: str, value: str) -> str:
    """What is wrong with a header to add to requests (RFC 9110 §5.1, §5.5)."""
    if not _TOKEN.fullmatch(name):
        return "is not the name of a header"
    if name.lower() in _OURS:
        return "is written by the agent itself; remove it"
    if not value.isascii() or not value.isprintable() or value != value.strip():
        return "has a value that no header can have: printable ASCII, no space at its ends"
    return ""


def bad_env(name: str) -> str:
    """What is wrong with the name of an environment variable."""
    return "" if _ENV.fullmatch(name) else "is not the name of an environment variable"


def bad_path(path: str) -> str:
    """What is wrong with an absolute path of a file or directory."""
    if not path.startswith("/"):
        return "is not absolute; start it with /"
    if "\0" in path or "/../" in f"{path}/":
        return "has .. or a NUL in it"
    return ""


def cloud_host(cloud_id: str) -> str:
    """The URL of Elasticsearch in an Elastic Cloud id (`name:base64(domain$es$kibana)`), "" if it
    isn't one."""
    try:
        text = binascii.a2b_base64(cloud_id.rpartition(":")[2], strict_mode=True).decode()
    except (binascii.Error, ValueError):
        return ""
    domain, _, rest = text.partition("$")
    host, _, port = domain.partition(":")
    uuid, _, uuid_port = rest.partition("$")[0].partition(":")
    url = f"https://{uuid}.{host}:{uuid_port or port or '443'}"
    return url if uuid and host and not bad_url(url) else ""


def _bad_characters(name: str) -> str:
    if name != name.lower():
        return f"has capital letters; write {name.lower()}"
    for character in name:
        if character not in _IN_NAMES:
            return f"has {character!r}; a name is made of a-z, 0-9, '.', '_' and '-'"
    return ""
