"""The receiver as a program: `python -m logagent.demo.receiver --port 0 --mode count`.

Knows options and signals. Prints one line, `{"port": N}`, when it listens, and goes on until
SIGTERM or SIGINT. Tests have it in their own process: `async with Receiver() as receiver`, from
server.py.
"""

import argparse
import asyncio
import ctypes
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from logagent.demo.faults import Fault, parse_faults
from logagent.demo.server import CONTENT_BYTES_MAX, Options, Receiver, api_key, basic
from logagent.demo.store import MODES

MODULE: Final = "logagent.demo.receiver"
"""What `python -m` needs."""

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
"""Parameters of glibc's mallopt (malloc.h)."""


def read_options(arguments: Sequence[str]) -> tuple[Options, list[Fault]]:
    """Options and faults from the command line. Raises SystemExit and OSError."""
    parser = argparse.ArgumentParser(prog="logagent.demo.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--mode", choices=MODES, default="store")
    parser.add_argument("--tls-cert", help="PEM file; with --tls-key the receiver speaks TLS")
    parser.add_argument("--tls-key")
    parser.add_argument("--client-ca", help="PEM file; clients must show a certificate of this CA")
    parser.add_argument("--faults", help="JSON file: a list of faults (see faults.py)")
    parser.add_argument("--api-key", help="id:key; others get 401")
    parser.add_argument("--basic", help="user:password; others get 401")
    parser.add_argument("--max-content-length", type=int, default=CONTENT_BYTES_MAX)
    parser.add_argument("--opensearch", action="store_true", help="say to be OpenSearch")
    parser.add_argument("--chunked", action="store_true", help="frame replies in chunks")
    chosen = parser.parse_args(arguments)
    auth = set()
    if chosen.api_key:
        auth.add(api_key(chosen.api_key))
    if chosen.basic:
        user, _, password = chosen.basic.partition(":")
        auth.add(basic(user, password))
    faults = []
    if chosen.faults:
        faults = parse_faults(orjson.loads(Path(chosen.faults).read_bytes()))
    options = Options(
        port=chosen.port,
        mode=chosen.mode,
        opensearch=chosen.opensearch,
        chunked=chosen.chunked,
        content_bytes_max=chosen.max_content_length,
        auth=frozenset(auth),
        tls=read_tls(chosen.tls_cert, chosen.tls_key, chosen.client_ca),
    )
    return options, faults


def read_tls(cert: str | None, key: str | None, client_ca: str | None) -> ssl.SSLContext | None:
    """A server's context, None without a certificate. Raises OSError."""
    if not cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def keep_memory() -> None:
    """Let glibc keep large freed blocks: bodies of some MiB come and go with each request, and
    each return to the kernel costs the page faults anew. Without glibc nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 32 << 20)


async def serve(options: Options, faults: list[Fault]) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Receiver(options, faults) as receiver:
        print(orjson.dumps({"port": receiver.port}).decode(), flush=True)
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the receiver; `arguments` None = those of the process."""
    options, faults = read_options(sys.argv[1:] if arguments is None else arguments)
    keep_memory()
    asyncio.run(serve(options, faults))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
