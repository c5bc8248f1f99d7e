"""What must be there for a configuration to work, with the option that names it."""

from __future__ import annotations

from logagent.config import Need, needs, show
from tests.config.conftest import GOOD, Load


def test_roots_secrets_and_certificates_are_listed(load_text: Load) -> None:
    """Each directory once for each input, each file with its option."""
    text = GOOD.replace('*.log"]', '*.log", "/var/log/app/*/x.txt", "/srv/logs/a.log"]')
    config = load_text(
        text
        + "    auth: {username_file: /s/user, password_file: /s/password}\n"
        + "    tls: {ca_file: /t/ca, cert_file: /t/crt, key_file: /t/key}\n"
        + "  out: {type: stdout}\n"
    )
    assert needs(config) == [
        Need("root", "/var/log/app", ("inputs", "app", "paths")),
        Need("root", "/srv/logs", ("inputs", "app", "paths")),
        Need("secret", "/s/user", ("outputs", "search", "auth", "username_file")),
        Need("secret", "/s/password", ("outputs", "search", "auth", "password_file")),
        Need("ca", "/t/ca", ("outputs", "search", "tls", "ca_file")),
        Need("cert", "/t/crt", ("outputs", "search", "tls", "cert_file")),
        Need("key", "/t/key", ("outputs", "search", "tls", "key_file")),
    ]


def test_a_configuration_without_secrets_needs_its_roots_alone(load_text: Load) -> None:
    """No auth, no tls: nothing but the directory."""
    assert [show(need.option) for need in needs(load_text(GOOD))] == ["$.inputs.app.paths"]
