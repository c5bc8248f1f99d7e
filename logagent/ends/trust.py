"""Who the agent is to a server, and whom it trusts, as options say it: secrets and certificates.

Knows options and where secrets are. Must not know what they are used for: the sinks of the agent
and the commands that ask a server come here alike.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from logagent.config.secrets import Auth, Tls
from logagent.edge.secrets import Secret, api_key, basic, bearer
from logagent.edges import Edges

if TYPE_CHECKING:
    import ssl  # 4 MiB: only https pays for it


def secret_of(path: str, variable: str, env: Mapping[str, str]) -> Secret:
    """A secret as options name it: a file, else a variable."""
    return Secret(path=path) if path else Secret(env=variable, environ=env)


def authorization_of(auth: Auth, env: Mapping[str, str]) -> Callable[[], str]:
    """A function that reads the secrets and makes the Authorization value of them. It raises
    SecretError."""
    if auth.api_key_file or auth.api_key_env:
        return api_key(secret_of(auth.api_key_file, auth.api_key_env, env))
    if auth.token_file or auth.token_env:
        return bearer(secret_of(auth.token_file, auth.token_env, env))
    user = auth.username or secret_of(auth.username_file, "", env)
    return basic(user, secret_of(auth.password_file, auth.password_env, env))


def context_of(tls: Tls | None) -> "ssl.SSLContext":
    """A context made of the certificates as they are now. Raises OSError or ValueError."""
    from logagent.edge.tls import context

    tls = tls or Tls()
    files = (tls.ca_file or None, tls.cert_file or None, tls.key_file or None)
    return context(*files, verify=tls.verify)


def tls_context(tls: Tls, edges: Edges) -> "Callable[[], ssl.SSLContext]":
    """A function that reads the certificates and makes a context of them: `context_of`, aloud
    where anybody is trusted."""
    if not tls.verify:
        edges.log.warning("TLS certificates aren't verified: set tls.verify to true")
    return lambda: context_of(tls)
