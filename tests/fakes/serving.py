"""An HTTP server on a thread of its own, for as long as a test needs it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

POLL_S: Final = 0.01
"""How long the end of a test may wait for it."""


class Handler(BaseHTTPRequestHandler):
    """What a server's handler derives from: keeps connections, says nothing on stderr."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """The request's body, without its gzip."""
        body = self.rfile.read(int(self.headers["content-length"]))
        return gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    """A running server of this machine; its port. 0 = any free one."""
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
