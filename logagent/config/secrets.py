"""Options that name secrets and certificates, never the secrets themselves.

Knows which belong together. Must not read any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from logagent.config.names import bad_env, bad_path
from logagent.config.problems import Rule, enforce

_AWS_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]{1,512}")


class Auth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials: an API key, a bearer token, or a user name and a password."""

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
    token_file: Annotated[
        str,
        Meta(
            description="File with a bearer token, read again when the server refuses it.",
            examples=["/etc/logagent/secrets/token"],
        ),
    ] = ""
    token_env: Annotated[
        str,
        Meta(
            description="Environment variable with a bearer token. It can't change while running.",
            examples=["LOGS_TOKEN"],
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
            ("token_file", "token_env"),
        ]
        for one, other in ways:
            if one in given and other in given:
                yield Rule((other,), f"is given besides {one}; remove one", depends=((one,),))
        key, user, password, token = (any(name in given for name in way) for way in ways)
        all_options: tuple[tuple[str], ...] = tuple((name,) for name in self.__struct_fields__)
        if not given:
            yield Rule((), "is empty; give api_key_file, token_file, or username and password_file")
        elif key and (user or password):
            yield Rule((), "has both an API key and a user; remove one", depends=all_options)
        elif token and (key or user or password):
            yield Rule((), "has a token and something else; remove one", depends=all_options)
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


class Aws(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests signed as AWS wants it (Signature Version 4); needs the extra `aws`."""

    region: Annotated[str, Meta(description="The service's region.", examples=["eu-central-1"])]
    service: Annotated[
        str,
        Meta(
            description="The service's name in signatures. Without it: es for Elasticsearch "
            "(aoss is OpenSearch Serverless), s3 for S3.",
            examples=["aoss"],
        ),
    ] = ""
    profile: Annotated[
        str,
        Meta(
            description="Profile of AWS's own configuration files to take credentials from. "
            "Without it and without access_key_file: AWS's usual order (variables, the pod's role, "
            "files, the container's role, the machine's role).",
            examples=["logs"],
        ),
    ] = ""
    access_key_file: Annotated[
        str,
        Meta(
            description="File with an access key's id, read again for each request.",
            examples=["/etc/logagent/secrets/access_key_id"],
        ),
    ] = ""
    secret_key_file: Annotated[
        str,
        Meta(
            description="File with the access key's secret.",
            examples=["/etc/logagent/secrets/secret_access_key"],
        ),
    ] = ""
    session_token_file: Annotated[
        str,
        Meta(
            description="File with the session token of a temporary access key.",
            examples=["/etc/logagent/secrets/session_token"],
        ),
    ] = ""
    role_arn: Annotated[
        str,
        Meta(
            description="Role to take on with these credentials, for instance another account's.",
            examples=["arn:aws:iam::123456789012:role/logs"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse what doesn't belong together."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        for name in ("region", "service"):
            value: str = getattr(self, name)
            if (value or name == "region") and not _AWS_NAME.fullmatch(value):
                yield Rule((name,), "is not a name such as eu-central-1: a-z, 0-9 and -")
        files = ("access_key_file", "secret_key_file", "session_token_file")
        given = [name for name in files if getattr(self, name)]
        pair = (("access_key_file",), ("secret_key_file",))
        if self.access_key_file and not self.secret_key_file:
            yield Rule(("access_key_file",), "needs secret_key_file", depends=pair)
        if self.secret_key_file and not self.access_key_file:
            yield Rule(("secret_key_file",), "needs access_key_file", depends=pair)
        if self.session_token_file and not self.access_key_file:
            yield Rule(("session_token_file",), "needs access_key_file", depends=pair)
        if self.profile and given:
            yield Rule(("profile",), f"is given besides {given[0]}; remove one", depends=pair)
        if self.role_arn and not _ROLE.fullmatch(self.role_arn):
            yield Rule(("role_arn",), "is not a role such as arn:aws:iam::123456789012:role/logs")
        for name in given:
            if why := bad_path(getattr(self, name)):
                yield Rule((name,), why)
