"""An OTLP/HTTP logs receiver for tests: decodes each body with the protocol's own messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.fakes.otlp import decode, records
from tests.fakes.serving import Handler, serving


class Receiver:
    """What came so far. answers: statuses and bodies to give first, instead of taking anything."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ExportLogsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes]] = []

    @property
    def records(self) -> list[LogRecord]:
        """All records that were taken."""
        return [record for request in list(self.requests) for record in records(request)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A running receiver."""
    receiver = Receiver()

    class Logs(Handler):
        def do_POST(self) -> None:
            body = self.body()
            assert self.path == "/v1/logs"
            receiver.headers.append({name.lower(): text for name, text in self.headers.items()})
            status, reply = 200, b"{}"
            if receiver.answers:
                status, reply = receiver.answers.pop(0)
            if status == 200:
                receiver.requests.append(decode(body))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

    with serving(Logs) as port:
        receiver.url = f"http://127.0.0.1:{port}"
        yield receiver
