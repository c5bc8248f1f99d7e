"""`run --wait-for-config`: alive, not ready, and loud, until the configuration is good.

A configuration must not stop an app: with a crashing sidecar its pod would never be ready. The next
ConfigMap heals it. Must not know what is wrong, only that something is.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from logagent.config import Agent, Config, ConfigError, load
from logagent.edge.admin import AdminServer, Answer
from logagent.edge.log import StderrLog
from logagent.ports import Log

POLL_S: Final = 2.0


def wait(paths: Sequence[str], env: Mapping[str, str], error: ConfigError) -> Config | None:
    """Look again each POLL_S until the configuration is good. None when a signal said to stop."""
    log = StderrLog(format="console" if sys.stderr.isatty() else "json")
    waiting = Waiting(paths, env, error, log=log)

    async def run() -> Config | None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, waiting.stop)
        return await waiting.run()

    return asyncio.run(run())


class Waiting:
    """The wait for a good configuration."""

    def __init__(
        self,
        paths: Sequence[str],
        env: Mapping[str, str],
        error: ConfigError,
        *,
        log: Log,
        poll_s: float = POLL_S,
    ) -> None:
        self._paths = paths
        self._env = env
        self._error = error
        self._stop = asyncio.Event()
        self._log = log
        self._poll_s = poll_s

    def stop(self) -> None:
        """Let `run` return None."""
        self._stop.set()

    async def run(self) -> Config | None:
        """Serve, look, wait, again."""
        self._tell()
        admin = await self._serve()
        try:
            while not await self._stopped_within(self._poll_s):
                config = self._look()
                if config is not None:
                    self._log.info("configuration is good now", paths=" ".join(self._paths))
                    return config
        finally:
            if admin is not None:
                await admin.close()
        return None

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stop.wait()
        except TimeoutError:
            return False

    def _look(self) -> Config | None:
        try:
            return load(self._paths, self._env)
        except ConfigError as error:
            if error.problems != self._error.problems:
                self._error = error
                self._tell()
            return None

    def _tell(self) -> None:
        """One line a problem."""
        for problem in self._error.problems:
            text = "configuration can't be used, waiting for a better one"
            self._log.error(text, reason=str(problem))

    async def _serve(self) -> AdminServer | None:
        """Serve where the configuration says, as far as it can be understood."""
        usable = self._error.usable
        address = (usable.agent if usable else Agent()).address()
        if address is None:
            return None
        admin = AdminServer(self._routes(), {})
        try:
            port = await admin.start(*address)
        except OSError as error:
            self._log.error("admin port can't be opened", why=error.strerror or str(error))
            return None
        self._log.info("admin port is open", host=address[0], port=port)
        return admin

    def _routes(self) -> Mapping[str, Callable[[], Answer]]:
        def alive() -> Answer:
            return 200, "text/plain", b"ok\n"

        def not_ready() -> Answer:
            return 503, "text/plain", f"{self._error}\n".encode()

        return {"/livez": alive, "/healthz": alive, "/readyz": not_ready}
