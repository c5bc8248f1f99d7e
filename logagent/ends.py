"""An output's two ends in the real world: the sink it sends to, and where its dead letters go.

Knows options and edges; imports the edge of the configured kind only, since each costs memory.
Must not know what is sent.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from logagent.build import Edges, Ends, codec_of, dead_letter_path, elastic_codec
from logagent.config.model import Config
from logagent.config.outputs import Elasticsearch, File, Stdout
from logagent.config.secrets import Auth, Tls
from logagent.edge.file import FileJournal, FileSink

if TYPE_CHECKING:
    import ssl  # 4 MiB: only https pays for it


def ends_of(config: Config, output_id: str, edges: Edges) -> Ends:
    """Codec, sink and dead letters of an output."""
    output = config.outputs[output_id]
    limit = output.dead_letter_bytes_max if isinstance(output, Elasticsearch) else None
    letters = FileJournal(
        dead_letter_path(config, output_id), offload=edges.offload, bytes_max=limit
    )
    match output:
        case Elasticsearch():
            return _elastic(output, letters, edges)
        case File():
            journal = FileJournal(output.path, offload=edges.offload)
            return Ends(codec_of(output), FileSink(journal), letters)
        case Stdout():
            from logagent.edge.stdout import StdoutSink

            return Ends(codec_of(output), StdoutSink(), letters)
        case _:
            assert_never(output)


def _elastic(output: Elasticsearch, letters: FileJournal, edges: Edges) -> Ends:
    from logagent.edge.http import HttpSink

    codec = elastic_codec(output)
    https = any(url.startswith("https:") for url in output.endpoints())
    sink = HttpSink(
        output.endpoints(),
        codec.path,
        headers=dict(codec.headers),
        auth=authorization(output.auth, edges) if output.auth else None,
        tls=tls_context(output.tls or Tls(), edges) if https else None,
        timeout_s=output.timeout_s,
        connections=output.slots,
        clock=edges.clock,
    )
    return Ends(codec, sink, letters)


def authorization(auth: Auth, edges: Edges) -> Callable[[], str]:
    """A function that reads the secrets and makes the Authorization value of them."""
    from logagent.edge.secrets import Secret, api_key, basic

    def secret(path: str, variable: str) -> Secret:
        return Secret(path=path) if path else Secret(env=variable, environ=edges.env)

    if auth.api_key_file or auth.api_key_env:
        return api_key(secret(auth.api_key_file, auth.api_key_env))
    user = auth.username or secret(auth.username_file, "")
    return basic(user, secret(auth.password_file, auth.password_env))


def tls_context(tls: Tls, edges: Edges) -> "Callable[[], ssl.SSLContext]":
    """A function that reads the certificates and makes a context of them."""
    from logagent.edge.tls import context

    if not tls.verify:
        edges.log.warning("TLS certificates aren't verified: set tls.verify to true")
    return lambda: context(
        tls.ca_file or None, tls.cert_file or None, tls.key_file or None, verify=tls.verify
    )
