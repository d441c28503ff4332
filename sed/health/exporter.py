"""The HTTP server that Prometheus asks: `/metrics`, for this computer alone unless the configuration says otherwise."""

import threading
from collections.abc import Sequence
from ipaddress import ip_address
from socket import AF_INET6
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.registry import Collector

from sed.config import MetricsConfig
from sed.errors import SinkError

PATIENCE_SECONDS = 5.0
"""Whoever connects and then asks nothing for so long is hung up on."""

LOOK_SECONDS = 0.1
"""How soon closing is seen."""


class Exporter:
    """Answers in threads of its own, from its own registry, until it is closed."""

    def __init__(self, config: MetricsConfig, collectors: Sequence[Collector]) -> None:
        """Listen. Raises SinkError if the port cannot be had."""
        kind = _Server6 if ip_address(config.address).version == 6 else _Server
        try:
            self._server = kind((config.address, config.port), _Request)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            advice = "set another metrics.port or metrics.address, or end what uses it"
            raise SinkError(f"metrics: {config.address} port {config.port}: {reason}; {advice}") from error
        self._server.set_app(make_wsgi_app(registered(collectors)))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[LOOK_SECONDS], name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more; the port is free when this returns."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def registered(collectors: Sequence[Collector]) -> CollectorRegistry:
    """All that is told: of these, and of the process."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    ProcessCollector(registry=registry)
    return registry


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # one that hangs holds nobody up
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody who asked nothing, or went away: no news."""


class _Server6(_Server):
    address_family = AF_INET6


class _Request(WSGIRequestHandler):
    timeout = PATIENCE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """A question a quarter of a minute is no news."""
