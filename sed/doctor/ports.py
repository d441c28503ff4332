"""What the configuration lets listen: whether its addresses are this computer's, and its ports free."""

import errno
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from sed.config import Config
from sed.doctor.finding import Finding, failed, ok
from sed.doctor.journal import owner_of
from sed.values import SATELLITE

EVERYWHERE = "0.0.0.0"  # noqa: S104 - how it is written, not a wish


def listening(config: Config) -> dict[tuple[str, int], str]:
    """Addresses and ports, and the keys of the configuration that name them."""
    found: dict[tuple[str, int], str] = {}
    if config.metrics is not None:
        found[config.metrics.address, config.metrics.port] = "metrics"
    if config.http is not None:
        found.setdefault((config.http.address, config.http.port), "http")
    urls = {f"source {source.name}": source.url for source in config.source if source.kind == SATELLITE}
    if config.zmq is not None and (config.zmq.publish or "").startswith("tcp:"):
        urls["zmq.publish"] = str(config.zmq.publish)
    for key, url in urls.items():
        parts = urlsplit(url.replace("//*", f"//{EVERYWHERE}"))
        found.setdefault((parts.hostname or EVERYWHERE, parts.port or 0), key)
    return found


def look(config: Config) -> Iterator[Finding]:
    """Each port once; one that the running daemon holds is as it should be."""
    owner, wanted = owner_of(config.journal.path), listening(config)
    if not wanted:
        yield ok("nothing listens")
    for (address, port), key in wanted.items():
        yield _judged(f"{key}: {address}:{port}", address, _trouble(address, port), owner)


def _judged(said: str, address: str, trouble: OSError | None, owner: str) -> Finding:
    if trouble is None:
        return ok(f"{said} is free{'' if _is_loopback(address) else ', and other computers can reach it'}")
    if trouble.errno == errno.EADDRINUSE:
        if owner:
            return ok(f"{said} is in use, by the daemon that runs (process {owner}) as it seems")
        return failed(f"{said} is in use", "'ss -ltnp' tells by whom; stop that program, or set another port")
    reason = (trouble.strerror or str(trouble)).lower()
    return failed(f"{said}: {reason}", "set an address of this computer, and a port from 1024 on")


def _trouble(address: str, port: int) -> OSError | None:
    """Why nobody can listen there now; None if somebody can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
