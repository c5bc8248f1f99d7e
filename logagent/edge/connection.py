"""One HTTP/1.1 connection: a non-blocking socket, h11 for the protocol, the loop for the waiting.

Not a transport of asyncio, for two reasons. A transport drops what the peer has already said when
a write fails, but a proxy that refuses a body answers 413 and resets, and that answer must win. And
a body of 500 KB goes from its own memory to the kernel (or to TLS), never through a buffer.
Knows nothing of hosts, credentials or what a status means.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import h11

from logagent.core.chunk import Reply

REPLY_BYTES_MAX: Final = 64 << 20
"""Far above any answer to a batch (24k rows: about 1 MiB); a hostile peer gets no further."""

_RECEIVE_BYTES: Final = 64 << 10
# A TLS write that would block must be repeated with the same length, so lengths are fixed.
_SLICE_BYTES: Final = 128 << 10


class Connection:
    """A connected socket that carries one exchange after the other.

    `would_block` are the exceptions that mean "wait": BlockingIOError alone, or of TLS the one that
    wants to read, then the one that wants to write.
    `retry_after` turns the header's text into seconds.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        *,
        would_block: tuple[type[OSError], ...],
        retry_after: Callable[[str], float],
    ) -> None:
        self.reused = False
        self.idle_since = loop.time()
        self.alive = True
        self.answered = False
        """Whether a byte of the current reply came."""
        self.sent = False
        """Whether a byte of the current request left."""
        self._sock = sock
        self._fd = sock.fileno()
        self._loop = loop
        self._would_block = would_block
        self._retry_after = retry_after
        self._plain = would_block == (BlockingIOError,)
        self._http = h11.Connection(h11.CLIENT)
        self._unsent: list[memoryview] = []
        self._writing = False
        self._write_failed = False
        self._waiter: asyncio.Future[Reply] | None = None
        self._status = 0
        self._wait_s = 0.0
        self._body: list[bytes] = []
        self._body_bytes = 0
        loop.add_reader(self._fd, self._on_readable)

    def fresh(self) -> bool:
        """Whether an idle connection may be used again: the peer has neither spoken nor left. What
        is not fresh is closed."""
        if self.alive:
            self._on_readable()
        return self.alive

    async def exchange(self, head: h11.Request, body: bytes, deadline: float) -> Reply:
        """Send one request and wait for its reply, a fault, or the `deadline` (loop time).

        Afterwards the connection is `alive` if it can be used again. Cancellation closes it.
        """
        assert self.alive
        assert self._waiter is None
        self.answered = self.sent = False
        self._status, self._wait_s, self._body, self._body_bytes = 0, 0.0, [], 0
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self._waiter = waiter
        start = self._http.send(head)
        assert start is not None
        pieces = self._http.send_with_data_passthrough(h11.Data(data=body)) or []
        self._http.send(h11.EndOfMessage())
        self._unsent = [memoryview(piece) for piece in (start, *pieces)]
        # By value, not by cancelling: a reply that came in the same tick isn't thrown away.
        timer = self._loop.call_at(deadline, self._end, "time-out")
        self._push()
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None
            if not waiter.done() or waiter.cancelled():
                self.close()

    def close(self) -> None:
        """Give the socket back; a second call does nothing. A waiting exchange gets "reset"."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._fd)
        self._stop_writing()
        self._sock.close()
        self._unsent.clear()
        self._end("reset")

    def _on_readable(self) -> None:
        while self.alive:
            try:
                data = self._sock.recv(_RECEIVE_BYTES)
            except self._would_block:
                if self._unsent and not self._writing:
                    self._push()  # TLS wanted to read before it could write
                return None
            except OSError as error:
                self._end(_lost(error, self.answered))
                return self.close()
            if self._waiter is None or self._waiter.done():
                return self.close()  # nobody asked: the peer left, or breaks the protocol
            self.answered = self.answered or bool(data)
            self._feed(data)
            if self._waiter.done():
                return None
        return None

    def _feed(self, data: bytes) -> None:
        """Give bytes of the reply, or b"" for its end, to h11 and take the events."""
        if not data and not self.answered:
            return self._end("reset")
        try:
            self._http.receive_data(data)
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._body.append(event.data)
                    self._body_bytes += len(event.data)
                    if self._body_bytes > REPLY_BYTES_MAX:
                        return self._end("reply too large")
                elif isinstance(event, h11.Response):
                    self._status = event.status_code
                    for name, value in event.headers:
                        if name == b"retry-after":
                            self._wait_s = self._retry_after(value.decode("latin-1"))
                elif isinstance(event, h11.EndOfMessage):
                    return self._complete()
                elif not isinstance(event, h11.InformationalResponse):
                    return None  # NEED_DATA, PAUSED
        except h11.RemoteProtocolError:
            return self._end("not HTTP" if data else "short reply")

    def _complete(self) -> None:
        """A whole reply was read. Nothing but it counts from here on."""
        reply = Reply(self._status, b"".join(self._body), self._wait_s, sent=True)
        self._body = []
        whole = not self._unsent and not self._write_failed and not self._http.trailing_data[0]
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(reply)
        if whole and self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self.reused = True
            self.idle_since = self._loop.time()
        else:
            self.close()

    def _end(self, fault: str) -> None:
        """End the current exchange, if there is one, with a fault; its connection is used up."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Reply(0, fault=fault, sent=self.sent))
            self.close()

    def _push(self) -> None:
        """Hand as much of the request to the kernel as it takes."""
        while self._unsent:
            try:
                if self._plain:
                    count = self._sock.sendmsg(self._unsent)
                else:
                    count = self._sock.send(self._unsent[0][:_SLICE_BYTES])
            except self._would_block as error:
                waits_for_reading = not self._plain and isinstance(error, self._would_block[0])
                if not self._writing and not waits_for_reading:
                    self._writing = True
                    self._loop.add_writer(self._fd, self._push)
                return
            except OSError:
                # Reading goes on: what the peer said before it reset is still in our socket, and
                # if it said nothing, reading finds the same error.
                self._write_failed = True
                self._unsent.clear()
                break
            self.sent = True
            while self._unsent and count >= len(self._unsent[0]):
                count -= len(self._unsent.pop(0))
            if count:
                self._unsent[0] = self._unsent[0][count:]
        self._stop_writing()
        if self._write_failed:
            self._on_readable()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)


def _lost(error: OSError, answered: bool) -> str:  # noqa: FBT001 - one caller
    """The fault for a connection that broke while reading. The alert of a peer that refuses our
    certificate comes here too: TLS 1.3 tells it only after the handshake."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        return "tls: " + reason.replace("_", " ").lower()
    return "short reply" if answered else "reset"
