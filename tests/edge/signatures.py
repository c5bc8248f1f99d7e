"""The other side of Signature Version 4: a receiver that checks, written from its description.

Checking shares no code with signing. Source: "Create a signed AWS API request", IAM User Guide; S3:
"Authenticating Requests: Using the Authorization Header". No tests in here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from logagent.edge.sigv4 import KeyFiles

ACCESS: Final = "AKIDEXAMPLE"
SECRET: Final = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

_PROOF: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)


class Seen(NamedTuple):
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def refusal(seen: Seen, *, region: str, service: str, secret: str = SECRET) -> str:
    """Why a request isn't from who has the secret; "" when it is."""
    match = _PROOF.fullmatch(seen.headers.get("authorization", ""))
    if match is None:
        return "AccessDenied"
    access, day, its_region, its_service, names, signature = match.groups()
    if access != ACCESS:
        return "InvalidAccessKeyId"
    if (its_region, its_service) != (region, service):
        return "AuthorizationHeaderMalformed"
    signed = names.split(";")
    must = {"host", *(name for name in seen.headers if name.startswith("x-amz-"))}
    if not must <= set(signed) or signed != sorted(signed):
        return "unsigned headers"
    digest = hashlib.sha256(seen.body).hexdigest()
    if seen.headers.get("x-amz-content-sha256") != digest:
        return "XAmzContentSHA256Mismatch"
    path, _, query = seen.target.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    # S3 takes a path for what it means; all others encode what came on the wire once more.
    name = unquote(path) if service == "s3" else path
    canonical = "\n".join(
        [
            seen.method,
            quote(name, safe="/-_.~"),
            "&".join(sorted(f"{_encode(key)}={_encode(value)}" for key, _, value in pairs)),
            *(f"{each}:{' '.join(seen.headers[each].split())}" for each in signed),
            "",
            names,
            digest,
        ]
    )
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            seen.headers["x-amz-date"],
            f"{day}/{region}/{service}/aws4_request",
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    return "" if key.hex() == signature else "SignatureDoesNotMatch"


def _encode(text: str) -> str:
    """Decoded and encoded again, so that each text has one form."""
    return quote(unquote(text), safe="-_.~")


def write_keys(folder: Path, *, secret: str = SECRET, token: str = "") -> KeyFiles:
    """Key files."""
    for name, text in (("access", ACCESS), ("secret", secret), ("token", token)):
        (folder / name).write_text(text + "\n")
    token_path = str(folder / "token") if token else ""
    return KeyFiles(str(folder / "access"), str(folder / "secret"), token_path)
