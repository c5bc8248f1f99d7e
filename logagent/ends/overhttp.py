"""What all outputs over HTTP are joined from: hosts, credentials, TLS, the pool of connections.

Knows options and the HTTP edge. Must not know what a body means.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from logagent.config.outputs import OverHttp
from logagent.config.secrets import Aws, Tls
from logagent.edge.http import HttpSink, Sign
from logagent.edges import Edges
from logagent.ends.trust import authorization_of, tls_context

if TYPE_CHECKING:
    from logagent.edge.sigv4 import Signer  # 12 MiB: only who signs pays for it


def http_sink(
    output: OverHttp,
    path: str,
    edges: Edges,
    *,
    headers: Mapping[str, str],
    auth: Callable[[], str] | None = None,
    sign: Sign | None = None,
    method: str = "POST",
) -> HttpSink:
    """A sink that sends to `path` below each host of an output.

    headers: what the body's form asks for; the user's own are added. auth: in place of what the
    option `auth` says. sign: see `aws_signer`.
    """
    https = any(url.startswith("https:") for url in output.endpoints())
    return HttpSink(
        output.endpoints(),
        path,
        headers={**output.headers, **headers},
        auth=auth or (authorization_of(output.auth, edges.env) if output.auth else None),
        sign=sign,
        tls=tls_context(output.tls or Tls(), edges) if https else None,
        timeout_s=output.timeout_s,
        connections=output.slots,
        method=method,
        clock=edges.clock,
    )


def signer(aws: Aws, service: str) -> "Signer":
    """A function that signs requests to AWS, in the calling thread. service: when the options name
    none. Raises SecretError when called."""
    from logagent.edge.sigv4 import KeyFiles, Signer

    keys = KeyFiles(aws.access_key_file, aws.secret_key_file, aws.session_token_file)
    return Signer(
        aws.region,
        aws.service or service,
        keys=keys if aws.access_key_file else None,
        profile=aws.profile,
        role_arn=aws.role_arn,
    )


def aws_signer(aws: Aws, service: str) -> Sign:
    """The same for `http_sink(sign=...)`: it waits in a thread for the files and servers that know
    the credentials."""
    from logagent.edge.sigv4 import Beside

    return Beside(signer(aws, service))
