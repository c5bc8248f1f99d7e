"""The receiver as a program: its options, TLS, its one line of output, its end."""

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import trustme

from logagent.demo.receiver import read_options, read_tls
from logagent.demo.server import Options, Receiver, api_key, basic
from tests.demo.client import Client, rows

ONE = '{"message":"a"}'


def test_options_from_the_command_line(tmp_path: Path) -> None:
    """Every option arrives where it belongs."""
    faults = tmp_path / "faults.json"
    faults.write_bytes(b'[{"do":"garbage"}]')
    text = "--port 1 --mode null --api-key a:b --basic u:p --max-content-length 9 --opensearch"
    options, script = read_options([*text.split(), "--chunked", "--faults", str(faults)])
    auth = frozenset({api_key("a:b"), basic("u", "p")})
    assert options == Options(
        1, "null", opensearch=True, chunked=True, content_bytes_max=9, auth=auth
    )
    assert [fault.do for fault in script] == ["garbage"]
    assert read_options([]) == (Options(), [])


def test_tls(tmp_path: Path) -> None:
    """With a certificate it speaks TLS, and asks clients for theirs when told to."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = authority.issue_cert("127.0.0.1")
    server.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    server.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    names = [str(tmp_path / name) for name in ("cert.pem", "key.pem", "ca.pem")]

    async def ask(options: Options) -> int:
        async with (
            asyncio.timeout(20),
            Receiver(options) as receiver,
            Client(receiver.port, context) as client,
        ):
            return (await client.bulk(rows(ONE) * 1000)).status

    assert asyncio.run(ask(Options(tls=read_tls(names[0], names[1], None)))) == 200
    strict = Options(tls=read_tls(*names))
    assert asyncio.run(ask(strict)) == 0
    authority.issue_cert("client@here").configure_cert(context)
    assert asyncio.run(ask(strict)) == 200
    assert read_tls(None, None, None) is None


@pytest.mark.slow
def test_the_program_says_its_port_and_stops_on_sigterm() -> None:
    """As a program it prints one JSON line when it listens, and ends with status 0."""
    command = [sys.executable, "-m", "logagent.demo.receiver", "--mode", "null"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert orjson.loads(process.stdout.readline())["port"] > 0
        process.terminate()
        assert process.wait(10) == 0
