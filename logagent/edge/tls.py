"""TLS contexts for clients. Importing this module costs what `ssl` costs; only https does it.

Knows files and OpenSSL. Must not know hosts: name checking is on and the connection brings the
name.
"""

import ssl
from typing import Final

_PEM_BYTES_MAX: Final = 4 << 20  # the largest public bundle has about 250 KB


def context(
    ca_file: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
    *,
    verify: bool = True,
) -> ssl.SSLContext:
    """A client's context: TLS 1.2 or newer, certificate and name (also an IP address) checked.

    `ca_file` (PEM) replaces the system's authorities. `cert_file` (PEM, with its chain) is shown
    to servers that ask; its key is in `key_file` or in the same file, unencrypted. `verify=False`
    trusts anybody: whoever passes it must be loud about it. Raises ValueError that names the file
    for wrong content, OSError for a file that can't be read.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif ca_file is None:
        made.load_default_certs()
    if ca_file is not None:
        try:
            made.load_verify_locations(cadata=_read(ca_file).decode("utf-8"))
        except (ssl.SSLError, ValueError) as error:
            raise ValueError(f"loading CA file {ca_file}: {_why(error)}") from error
    if cert_file is not None:
        _load_chain(made, cert_file, key_file)
    elif key_file is not None:
        raise ValueError(f"loading key file {key_file}: a certificate file must go with it")
    return made


def _load_chain(made: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    for path in (cert_file, key_file or cert_file):
        _read(path)  # OpenSSL's own error for a file it can't read has no name in it
    try:
        # An empty password: OpenSSL must not ask the terminal for one.
        made.load_cert_chain(cert_file, key_file, password="")
    except (ssl.SSLError, ValueError) as error:
        files = cert_file if key_file is None else f"{cert_file} with key file {key_file}"
        raise ValueError(f"loading certificate {files}: {_why(error)}") from error


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_PEM_BYTES_MAX)


def _why(error: Exception) -> str:
    """What OpenSSL says, in words: "key values mismatch", "no start line"."""
    if isinstance(error, UnicodeDecodeError):
        return "not PEM"
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        return reason.replace("_", " ").lower()
    return "no certificate in it, or not PEM"
