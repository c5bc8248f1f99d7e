"""Options that name secrets and certificates, never the secrets themselves.

Knows which belong together. Must not read any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from logagent.config.names import bad_env, bad_path
from logagent.config.problems import Rule, enforce


class Auth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials: an API key, or a user name and a password."""

    api_key_file: Annotated[
        str,
        Meta(
            description="File with the API key, as id:key or encoded. Read again when the server "
            "refuses it.",
            examples=["/etc/logagent/secrets/api_key"],
        ),
    ] = ""
    api_key_env: Annotated[
        str,
        Meta(
            description="Environment variable with the API key. It can't change while running.",
            examples=["ES_API_KEY"],
        ),
    ] = ""
    username: Annotated[str, Meta(description="User name.", examples=["logagent"])] = ""
    username_file: Annotated[
        str,
        Meta(
            description="File with the user name, read again when the server refuses it.",
            examples=["/etc/logagent/secrets/username"],
        ),
    ] = ""
    password_file: Annotated[
        str,
        Meta(
            description="File with the password, read again when the server refuses it.",
            examples=["/etc/logagent/secrets/password"],
        ),
    ] = ""
    password_env: Annotated[
        str,
        Meta(
            description="Environment variable with the password. It can't change while running.",
            examples=["ES_PASSWORD"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse what doesn't belong together."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        given = [name for name in self.__struct_fields__ if getattr(self, name)]
        ways = [
            ("api_key_file", "api_key_env"),
            ("username", "username_file"),
            ("password_file", "password_env"),
        ]
        for one, other in ways:
            if one in given and other in given:
                yield Rule((other,), f"is given besides {one}; remove one", depends=((one,),))
        key, user, password = (any(name in given for name in way) for way in ways)
        all_options: tuple[tuple[str], ...] = tuple((name,) for name in self.__struct_fields__)
        if not given:
            yield Rule((), "is empty; give api_key_file, or username and password_file")
        elif key and (user or password):
            yield Rule((), "has both an API key and a user; remove one", depends=all_options)
        elif user and not password:
            yield Rule((), "has a user without password_file", depends=all_options)
        elif password and not user:
            yield Rule((), "has a password without username", depends=all_options)
        for name in given:
            value: str = getattr(self, name)
            if name.endswith("_file") and (why := bad_path(value)):
                yield Rule((name,), why)
            if name.endswith("_env") and (why := bad_env(value)):
                yield Rule((name,), why)


class Tls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TLS to a server."""

    ca_file: Annotated[
        str,
        Meta(
            description="Certificates to trust, PEM. Without it: the system's.",
            examples=["/etc/logagent/tls/ca.crt"],
        ),
    ] = ""
    cert_file: Annotated[
        str,
        Meta(
            description="Client certificate, PEM; needs key_file.",
            examples=["/etc/logagent/tls/tls.crt"],
        ),
    ] = ""
    key_file: Annotated[
        str,
        Meta(
            description="Key of the client certificate, PEM.",
            examples=["/etc/logagent/tls/tls.key"],
        ),
    ] = ""
    verify: Annotated[
        bool,
        Meta(
            description="Check the server's certificate and name. false lets anybody in between "
            "read the logs and the credentials.",
        ),
    ] = True

    def __post_init__(self) -> None:
        """Refuse what doesn't belong together."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        if self.cert_file and not self.key_file:
            yield Rule(("cert_file",), "needs key_file", depends=(("key_file",),))
        if self.key_file and not self.cert_file:
            yield Rule(("key_file",), "needs cert_file", depends=(("cert_file",),))
        if self.ca_file and not self.verify:
            yield Rule(
                ("verify",),
                "is false, so ca_file is never used; remove one",
                depends=(("ca_file",),),
            )
        for name in ("ca_file", "cert_file", "key_file"):
            value: str = getattr(self, name)
            if value and (why := bad_path(value)):
                yield Rule((name,), why)
