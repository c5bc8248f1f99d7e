"""Child processes of the demo: started, watched, measured, and never left behind.

Knows processes and /proc. Must not know what the children do.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

POLL_S = 0.02
"""How often a stopping child is looked at."""


class Usage(NamedTuple):
    """What a child has cost until its end, and how it ended (a signal is negative)."""

    status: int
    cpu_s: float


class Child:
    """A process of its own session: Ctrl-C in the terminal reaches the demo alone, which then ends
    its children in order. Its standard error goes to a file; its output is a pipe."""

    def __init__(self, command: Sequence[str], *, log: str) -> None:
        self.log = log
        self.peak_rss_bytes = 0
        """As last sampled; `ru_maxrss` would count the parent's memory at the fork."""
        self._usage: Usage | None = None
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 (our own commands)
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read_line(self) -> bytes:
        """The next line of its output; b"" when it has ended. Waits for it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def last_words(self, lines: int = 5) -> str:
        """The end of what it said on standard error."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def sample(self) -> None:
        """Look at its peak memory, while it lives."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        self.peak_rss_bytes = int(line.split()[1]) * 1024
        except OSError:
            return

    def poll(self) -> Usage | None:
        """Its usage if it has ended, else None."""
        if self._usage is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                # Popen must know, or it would wait for a process that is no longer there.
                self._process.returncode = code
                self._usage = Usage(code, usage.ru_utime + usage.ru_stime)
                if self._process.stdout is not None:
                    self._process.stdout.close()
        return self._usage

    def stop(self, wait_s: float) -> Usage:
        """Ask it to end; after `wait_s` seconds, make it."""
        give_up_at = time.monotonic() + wait_s
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        while (usage := self.poll()) is None:
            if time.monotonic() > give_up_at:
                os.kill(self.pid, signal.SIGKILL)
            self.sample()
            time.sleep(POLL_S)
        return usage
