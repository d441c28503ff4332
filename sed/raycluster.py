"""The way to a Ray cluster, or to one of this machine's own; Ray itself is loaded here and nowhere else."""

import logging
import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from sed.errors import EarwitnessError, UsageError

REACH_SECONDS = 10.0
"""For an address to answer."""

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what Ray would print of its nodes and workers; its log files have it
    "RAY_NUM_REDIS_GET_RETRIES": "2",  # times that a cluster is asked which does not answer; each takes half a minute
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of days to come, and no warning that it will change
}
"""Ray takes these from the environment when it is loaded."""

_LOCAL = {
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",  # as other workers of ours; Ray's 15 leave a busy machine to everybody else
}
"""These too, for a cluster of our own."""

_ADDRESS = re.compile(r"local|auto|(ray://)?[^\s/:]+:\d+")


@contextmanager
def connected(address: str, workers: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at `address`; `local` starts one here that ends with this.

    Raises UsageError if Ray is not installed or that is no address, EarwitnessError if no cluster answers there.
    """
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"--ray {address}: need local, auto, HOST:PORT or ray://HOST:PORT")
    _check_reachable(address)
    ray = _library(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        if address == "local":
            _start(ray, workers, quiet)
        else:
            ray.init(address=address, **quiet)
    except (ray.exceptions.RayError, RuntimeError, OSError, ValueError) as error:
        raise EarwitnessError(f"--ray {address}: {_reason(error)}; 'ray status' says how the cluster is") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _library(address: str) -> Any:
    """Ray; a cluster of our own gets a token, for it listens on all addresses of this machine."""
    settings = _SETTINGS | _LOCAL | {"RAY_AUTH_TOKEN": secrets.token_hex(32)} if address == "local" else _SETTINGS
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise UsageError("--ray: needs Ray; pip install 'earwitness[cluster]'") from error
    return ray


def _start(ray: Any, workers: int | None, quiet: dict[str, Any]) -> None:
    ray.init(
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        _node_ip_address=LOOPBACK,
        **quiet,
    )


STORE_BYTES = 128_000_000
"""What is kept of answers until they are taken; without a word from us Ray takes a third of the memory."""


LOOPBACK = "127.0.0.2"
"""Ray takes 127.0.0.1 for another name of the machine, and would use its address in the network."""


def _check_reachable(address: str) -> None:
    """Whether a gRPC server is there; Ray itself would try for minutes, and say little."""
    if address in ("local", "auto"):
        return
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), REACH_SECONDS) as line:
            line.sendall(_HELLO)
            if "RAY_USE_TLS" not in os.environ and line.recv(_SETTINGS_FRAME + 1)[_SETTINGS_FRAME:] != b"\x04":
                raise ConnectionError("something else answers")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise EarwitnessError(
            f"--ray {address}: no Ray cluster answers there ({reason}); start one with 'ray start --head', "
            "or try '--ray local'"
        ) from error


_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
"""How a client begins to speak HTTP/2, and so gRPC: RFC 9113, 3.4; an empty frame of settings comes with it."""

_SETTINGS_FRAME = 3
"""The byte of a frame that says its type; a server's first one has settings, of type 4: RFC 9113, 4.1."""


def _reason(error: Exception) -> str:
    """The first sentence of what Ray has to say."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.split(r"(?<=[a-z)'\"])\. ", text, maxsplit=1)[0].rstrip(".")
