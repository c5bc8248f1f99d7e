"""A server as a child process: started, found ready, stopped, killed, started again.

Knows processes and one HTTP question. Must not know which server it is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.e2e.servers.rest import Rest

START_S: Final = 90
"""Longest wait for a server; 4 s (10 s with security) on an idle machine."""
STOP_S: Final = 30
POLL_S: Final = 0.05
LOG_LINES: Final = 60
"""How much of the log an error shows."""


class StartError(Exception):
    """A server that didn't come up; carries the end of its log."""


class Server:
    """One server on one port of the loopback, its data kept over restarts.

    `url` stays the same for good. Its output goes to the file `log`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        rest: Rest,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.url = rest.url
        self.rest = rest
        """A client that may do everything."""
        self.log = log
        self.start_s = 0.0
        """How long the last start took, in seconds."""
        self._command = list(command)
        self._environment = dict(environment) if environment is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; the server must have been started."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pids(self) -> list[int]:
        """The process and all that it started, itself first; empty when it is gone."""
        found = [self.pid] if self.is_running else []
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    @property
    def rss_bytes(self) -> int:
        """The resident memory of all its processes now."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids)
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def start(self) -> None:
        """Start it and return when it answers; raises StartError, with the log, when it doesn't."""
        assert not self.is_running, "running already"
        began = time.monotonic()
        with self.log.open("ab") as log:
            # Its own group, so that kill() also reaches what it starts, and Ctrl-C only pytest.
            # The launchers end when their standard input does: with pytest, however that ends.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self._wait_ready(self._process, began + START_S)
        except BaseException:
            self.kill()
            raise
        self.start_s = time.monotonic() - began

    def stop(self) -> None:
        """End it in order (SIGTERM); it is killed when that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def restart(self) -> None:
        """Stop it if it runs, and start it again on the same port with the same data."""
        self.stop()
        self.start()

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    def _wait_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        while not self._answers():
            status = process.poll()
            if status is not None:
                what = f"starting {self.url}: exit status {status}"
                raise StartError(f"{what}\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise StartError(f"starting {self.url}: {START_S} s passed\n{self.last_words()}")
            time.sleep(POLL_S)

    def _answers(self) -> bool:
        # 200 for shards too: after a restart searches are refused for a moment longer.
        query = {"wait_for_status": "yellow", "wait_for_no_initializing_shards": "true"}
        try:
            return self.rest.get("/_cluster/health", query=query).status == 200
        except OSError:
            return False
