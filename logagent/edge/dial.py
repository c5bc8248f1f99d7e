"""Getting a socket: name, address, TCP, TLS. Each way to fail is a short text, not an exception.

Knows addresses and handshakes. Must not know requests, pools or credentials. A context comes in
from whoever configures https; without one, nothing of `ssl` is used.
"""

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

_Info = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
_Infos = Sequence[_Info]

PLAIN_WAITS: Final[tuple[type[OSError], ...]] = (BlockingIOError,)


class Host(NamedTuple):
    """Where to connect: `name` for DNS and the certificate, `header` for `Host:`, `prefix` comes
    before each path ("" or "/…", no slash at its end)."""

    name: str
    port: int
    secure: bool
    header: str
    prefix: str


def parse_host(url: str) -> Host:
    """A Host of a URL like "https://es-1:9200/prefix". Raises ValueError with what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"host {url!r}: it must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a host's URL must not hold credentials: put them into a secret file")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"host {url!r}: expected scheme://name:port/prefix and nothing else")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ValueError(f"host {url!r}: the port must be 1 to 65535") from None
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"host {url!r}: only printable ASCII, no spaces")
    header = parts.netloc.lower()
    return Host(parts.hostname, port, parts.scheme == "https", header, parts.path.rstrip("/"))


class Dialed(NamedTuple):
    """A connected non-blocking socket, with TLS done if the host is secure, and the exceptions
    that mean "wait" on it."""

    sock: socket.socket
    would_block: tuple[type[OSError], ...]


async def dial(host: Host, context: "ssl.SSLContext | None", timeout_s: float) -> Dialed | str:
    """Connect; a text is the fault: "refused", "dns: …", "connect time-out", "tls: …", "reset"."""
    try:
        async with asyncio.timeout(timeout_s):
            infos = await _addresses(host)
            sock = await _connect(infos)
            if not host.secure:
                return Dialed(sock, PLAIN_WAITS)
            assert context is not None
            return await _handshake(sock, host.name, context)
    except socket.gaierror as error:
        return f"dns: {error.strerror}"
    except TimeoutError:
        return "connect time-out"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return _describe(error)
    except UnicodeError:
        return "dns: the name can't be encoded"  # a label over 63 characters


async def _addresses(host: Host) -> _Infos:
    """Addresses to try, in order. A literal one costs no thread."""
    loop = asyncio.get_running_loop()
    try:
        ipaddress.ip_address(host.name.partition("%")[0])
    except ValueError:
        return await loop.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM, flags=flags)


async def _connect(infos: _Infos) -> socket.socket:
    """The first address that answers. Raises OSError, that of the last address."""
    loop = asyncio.get_running_loop()
    last: OSError = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    for family, kind, protocol, _, address in infos:
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            last = error
            continue
        try:
            sock.settimeout(0.0)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise last


async def _handshake(plain: socket.socket, name: str, context: "ssl.SSLContext") -> Dialed:
    """TLS over a connected socket. Raises OSError (ssl.SSLError is one)."""
    import ssl

    try:
        sock = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise
    try:
        while True:
            try:
                sock.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(sock, write=False)
            except ssl.SSLWantWriteError:
                await _ready(sock, write=True)
            else:
                return Dialed(sock, (ssl.SSLWantReadError, ssl.SSLWantWriteError))
    except BaseException:
        sock.close()
        raise


async def _ready(sock: socket.socket, *, write: bool) -> None:
    """Wait until a socket can be read or written."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    fd = sock.fileno()
    (loop.add_writer if write else loop.add_reader)(fd, _wake, waiter)
    try:
        await waiter
    finally:
        (loop.remove_writer if write else loop.remove_reader)(fd)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _describe(error: OSError) -> str:
    """The fault for a failed connect or handshake."""
    verify = getattr(error, "verify_message", None)  # of ssl.SSLCertVerificationError
    if isinstance(verify, str):
        return f"tls: {verify}"
    reason = getattr(error, "reason", None)  # of ssl.SSLError
    if isinstance(reason, str):
        return "tls: " + reason.replace("_", " ").lower()
    if isinstance(error, ConnectionError):
        return "reset"
    return f"connect: {error.strerror or error}"
