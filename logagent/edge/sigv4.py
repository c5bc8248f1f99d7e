"""Requests signed with AWS Signature Version 4, and where the credentials for it come from.

Signing and AWS's own order of credentials (variables, web identity, files, the container's role,
the machine's role) are botocore's. Importing it costs 12 MiB, asking STS (a role, a pod's identity)
9 more. Knows no sink. All of it blocks: files, the metadata service and STS are asked. Never puts a
secret into an error. Source: "Signature Version 4 signing process", AWS General Reference. Must not
know which service is asked, nor what for.
"""

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final  # botocore has no types: what it gives goes back into it
from urllib.parse import parse_qsl, urlsplit

import botocore.session  # type: ignore[import-untyped]
from botocore.auth import S3SigV4Auth, SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.credentials import (  # type: ignore[import-untyped]
    AssumeRoleCredentialFetcher,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from msgspec import Struct

from logagent.edge.secrets import SecretError, read_secret

LOOKUP: Final = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})
"""For STS: the pipeline tries again, and a thread that waits for AWS must end before the process
does. botocore's own are 60 s and five attempts."""

_SIGNED: Final = frozenset({"host", "content-type"})
"""Signed besides x-amz-*, which must be: a proxy may change any other header."""
_OURS: Final = ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
_WHY_BYTES: Final = 300


class KeyFiles(Struct, frozen=True):
    """Files that hold an access key; `token` may be ""."""

    access: str
    secret: str
    token: str = ""


class Signer:
    """Signs requests to one service in one region.

    keys: in place of AWS's own order. profile: of AWS's files, "" = the default one. role_arn: a
    role to take on with these. Calls from several threads are fine.
    """

    def __init__(
        self,
        region: str,
        service: str,
        *,
        keys: KeyFiles | None = None,
        profile: str = "",
        role_arn: str = "",
    ) -> None:
        self._region = region
        self._service = service
        self._keys = keys
        self._profile = profile
        self._role_arn = role_arn
        self._found: Any = None
        self._stale = False
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Look for credentials again at the next request."""
        self._stale = True  # not under the lock: a look-up may hold it for seconds

    def __call__(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers to add, in lower case. headers: those that the request has, host included
        (else the URL's); `url` is encoded as it will be sent. Blocks. Raises SecretError."""
        parts = urlsplit(url)
        signed = {
            name: value
            for name, value in headers.items()
            if name.lower() in _SIGNED or name.lower().startswith("x-amz-")
        }
        request = AWSRequest(
            method=method,
            url=f"{parts.scheme}://{parts.netloc}{parts.path}",
            data=body,
            headers=signed,
            # AWS encodes a query anew before it compares; given as text botocore signs it as it is.
            params=parse_qsl(parts.query, keep_blank_values=True),
        )
        made = S3SigV4Auth if self._service == "s3" else SigV4Auth
        auth = made(self._credentials(), self._service, self._region)
        # OpenSearch Serverless wants it, the others don't mind; S3's own class makes it itself.
        if made is SigV4Auth:
            request.headers["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        auth.add_auth(request)
        found = {name.lower(): value for name, value in request.headers.items()}
        return {name: found[name] for name in _OURS if name in found}

    def _credentials(self) -> Any:  # noqa: ANN401
        """Access key, secret and token of one moment."""
        try:
            with self._lock:
                if self._keys is not None and not self._role_arn:
                    return self._read(self._keys)
                if self._found is None or self._stale:
                    self._stale = False
                    self._found = self._look()
                found = self._found
            return found.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            why = " ".join(str(error).split())[:_WHY_BYTES]
            raise SecretError(f"finding AWS credentials: {why}") from error

    def _look(self) -> Any:  # noqa: ANN401
        session = botocore.session.Session(profile=self._profile or None)
        session.set_config_variable("region", self._region)
        session.set_default_client_config(LOOKUP)
        found = session.get_credentials() if self._keys is None else self._read(self._keys)
        if found is None:
            raise SecretError(
                "finding AWS credentials: none in variables, AWS's files, the pod's, the "
                "container's or the machine's role"
            )
        return self._assume(session, found) if self._role_arn else found

    def _assume(self, session: Any, source: Any) -> Any:  # noqa: ANN401
        def client(*args: Any, **more: Any) -> Any:  # noqa: ANN401
            return session.create_client(*args, region_name=self._region, **more)

        fetcher = AssumeRoleCredentialFetcher(
            client, source, self._role_arn, extra_args={"RoleSessionName": "logagent"}
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    @staticmethod
    def _read(keys: KeyFiles) -> Any:  # noqa: ANN401
        token = read_secret(keys.token) if keys.token else None
        return Credentials(read_secret(keys.access), read_secret(keys.secret), token)


class Beside:
    """`edge.http.Sign` over a `Signer`, in a thread. One at a time: a caller that gave up leaves
    its thread behind, and the next one waits for that instead of starting another."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._turn = asyncio.Lock()
        self._behind: asyncio.Future[dict[str, str]] | None = None

    async def __call__(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """See `edge.http.Sign`."""
        async with self._turn:
            if self._behind is not None:
                await asyncio.wait({self._behind})
            work = partial(self._signer, method, url, body, headers)
            # A future, not a coroutine: it is still there when its caller has gone.
            self._behind = asyncio.get_running_loop().run_in_executor(None, work)
            self._behind.add_done_callback(_hear)
            return await asyncio.shield(self._behind)

    def forget(self) -> None:
        """See `edge.http.Sign`."""
        self._signer.forget()


def _hear(done: "asyncio.Future[dict[str, str]]") -> None:
    """Take the error of a look-up that nobody waits for any more."""
    if not done.cancelled():
        done.exception()
