"""The Elasticsearch distribution with security: TLS, users with Basic auth, client certificates.

Knows the distribution's folders and files. API keys can't be created on it (a module they need
isn't published), so those are tested against our own receiver.
"""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import trustme

from tests.e2e.servers.cache import JAVA, compile_into, fetch, made_once, need
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.process import Server
from tests.e2e.servers.rest import Rest

NOBODY: Final = 65534
"""The server refuses to run as root, so root's tests run it as this user and group."""

FOREIGN: Final = ("darwin-aarch64", "darwin-x64", "windows-x64", "windows-service-cli")

ADMIN: Final = ("admin", "admin-password")
WRITER: Final = ("agent", "agent-password")
USERS: Final = """\
admin:$2a$04$logagentteststhrowawau6zfegQllblpHFHlbfZzSmLyHiP5LECS
agent:$2a$04$logagentteststhrowawaum/UEZufi.iyCozAYmVU7tP9QIIdeB2i
"""
"""bcrypt of the two passwords above."""
USERS_ROLES: Final = "superuser:admin\napp_writer:agent\n"
ROLES: Final = """\
app_writer:
  cluster: [monitor]
  indices:
    - names: ["logs-app-*"]
      privileges: [create_doc, auto_configure]
"""

JVM_OPTIONS: Final = """\
-Xms512m
-Xmx512m
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-Djava.io.tmpdir=${ES_TMPDIR}
"""
"""Instead of the distribution's own, which write a GC log, heap dumps and crash files."""

SETTINGS: Final = """\
cluster.name: test
node.name: node-1
discovery.type: single-node
network.host: 127.0.0.1
http.port: {port}
transport.port: 0
path.data: {home}/data
path.logs: {home}/logs
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: certs/server.key
xpack.security.http.ssl.certificate: certs/server.crt
xpack.security.http.ssl.certificate_authorities: certs/ca.crt
xpack.security.http.ssl.client_authentication: {client_authentication}
"""

DESCRIPTOR: Final = """\
name=root
description=answers GET /
version=1
classname=logagent.tests.RootPlugin
java.version=17
elasticsearch.version={version}
"""


class Certificates(NamedTuple):
    """PEM files: who to trust, and what a client shows."""

    ca_file: Path
    client_certificate_file: Path
    client_key_file: Path


class SecureServer(Server):
    """An Elasticsearch that wants TLS and a user, who may write to `logs-app-*` alone.

    `rest` is the administrator.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        rest: Rest,
        log: Path,
        environment: dict[str, str],
        certificates: Certificates,
    ) -> None:
        super().__init__(command, rest=rest, log=log, environment=environment)
        self.user, self.password = WRITER
        self.ca_file = certificates.ca_file
        self.client_certificate_file = certificates.client_certificate_file
        self.client_key_file = certificates.client_key_file

    def client(self, *, user: str = "", password: str = "", shows_certificate: bool = True) -> Rest:
        """A client as somebody else, or as nobody."""
        tls = ssl.create_default_context(cafile=str(self.ca_file))
        if shows_certificate:
            tls.load_cert_chain(self.client_certificate_file, self.client_key_file)
        return Rest(self.url, tls=tls, user=user, password=password)


@contextmanager
def elasticsearch_secure(
    home: Path | None = None, *, client_certificates: bool = False
) -> Iterator[SecureServer]:
    """A running Elasticsearch 8.19.21 with TLS and users; ready in about 10 s.

    `home` must be a folder that every user can reach, when the tests run as root; None makes one.
    With `client_certificates` it talks only to clients that show theirs.
    """
    with tempfile.TemporaryDirectory(prefix="logagent-elasticsearch-") as folder:
        if home is None:
            home = Path(folder)
            home.chmod(0o755)
        server = prepare(home, client_certificates=client_certificates)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def prepare(home: Path, *, client_certificates: bool) -> SecureServer:
    """Write all that the server needs below `home`."""
    port = free_port()
    installed = distribution()
    if os.geteuid() == 0:
        # The cache may be where only root can look.
        installed = Path(shutil.copytree(installed, home / "elasticsearch"))
    config = home / "config"
    (config / "certs").mkdir(parents=True)
    for name in ("data", "logs", "tmp"):
        (home / name).mkdir()
    certificates = write_certificates(config / "certs")
    shutil.copy(JAVA / "log4j2.properties", config)
    client_authentication = "required" if client_certificates else "none"
    settings = SETTINGS.format(port=port, home=home, client_authentication=client_authentication)
    for name, text in {
        "elasticsearch.yml": settings,
        "jvm.options": JVM_OPTIONS,
        "users": USERS,
        "users_roles": USERS_ROLES,
        "roles.yml": ROLES,
    }.items():
        (config / name).write_text(text)
    give_away(home)
    tls = ssl.create_default_context(cafile=str(certificates.ca_file))
    tls.load_cert_chain(certificates.client_certificate_file, certificates.client_key_file)
    return SecureServer(
        [*as_nobody(), str(installed / "bin" / "elasticsearch")],
        rest=Rest(f"https://127.0.0.1:{port}", tls=tls, user=ADMIN[0], password=ADMIN[1]),
        log=home / "server.log",
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ES_PATH_CONF": str(config),
            "ES_TMPDIR": str(home / "tmp"),
            "ES_JAVA_HOME": str(Path(need("java")).resolve().parent.parent),
            "CLI_JAVA_OPTS": "-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        },
        certificates=certificates,
    )


def as_nobody() -> list[str]:
    """What goes before the command: another user than root, and an end when pytest ends."""
    command = [need("setpriv"), "--pdeathsig=TERM"]
    if os.geteuid() == 0:
        command += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return command


def give_away(home: Path) -> None:
    """Make everything below `home` belong to the user that the server runs as."""
    if os.geteuid() != 0:
        return
    for folder in home.parents:
        if not folder.stat().st_mode & 0o001:
            raise ValueError(f"{folder} can't be passed by other users, and {home} is below it")
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def write_certificates(folder: Path) -> Certificates:
    """An authority, the server's certificate for 127.0.0.1 and localhost, and a client's."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    client = authority.issue_cert("agent@logagent.test", common_name="agent")
    certificates = Certificates(folder / "ca.crt", folder / "client.crt", folder / "client.key")
    authority.cert_pem.write_to_path(str(certificates.ca_file))
    for issued, name in ((server, "server"), (client, "client")):
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.crt"))
    return certificates


def distribution() -> Path:
    """The unpacked distribution, with our plugin for `GET /` in it."""
    archives = fetch("elasticsearch-secure")
    (archive,) = archives.glob("elasticsearch-*.zip")

    def make(folder: Path) -> None:
        unpack(archive, folder)
        plugin = folder / "plugins" / "root"
        plugin.mkdir(parents=True)
        version = archive.stem.removeprefix("elasticsearch-")
        (plugin / "plugin-descriptor.properties").write_text(DESCRIPTOR.format(version=version))
        with tempfile.TemporaryDirectory() as classes:
            compile_into(Path(classes), ["RootPlugin.java"], folder / "lib")
            with zipfile.ZipFile(plugin / "root.jar", "w") as jar:
                for path in Path(classes).rglob("*.class"):
                    jar.write(path, path.relative_to(classes))

    ingredients = [archives.name, DESCRIPTOR, (JAVA / "RootPlugin.java").read_text()]
    return made_once("elasticsearch-installed", [each.encode() for each in ingredients], make)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack without the archive's own top folder, and without what is for other systems."""
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            parts = PurePosixPath(entry.filename).parts[1:]
            if entry.is_dir() or not parts or set(parts) & set(FOREIGN) or ".." in parts:
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(packed.read(entry))
            if parts[0] == "bin":
                target.chmod(0o755)
