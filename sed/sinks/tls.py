"""Encryption of the connection to a broker, from PEM files."""

import contextlib
import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sed.config import MqttConfig
from sed.errors import ConfigError

T = TypeVar("T")


def tls_context(config: MqttConfig) -> ssl.SSLContext:
    """TLS with the authorities and the certificate that are configured. Raises ConfigError if one cannot be read."""
    context = _loaded("mqtt.ca_file", config.ca_file, lambda: ssl.create_default_context(cafile=config.ca_file))
    context.sslsocket_class = _TidySocket
    if config.cert_file and config.key_file:
        certificate, key = config.cert_file, config.key_file
        _loaded("mqtt.cert_file", certificate, lambda: context.load_cert_chain(certificate, key))
    return context


def fingerprint(config: MqttConfig) -> bytes:
    """Changes when the password or a certificate does, though its file has the same name. Raises ConfigError."""
    digest = hashlib.blake2b((config.secret() or "").encode())
    for path in filter(None, (config.ca_file, config.cert_file, config.key_file)):
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    return digest.digest()


def _loaded(key: str, path: Path | None, load: Callable[[], T]) -> T:
    try:
        return load()
    except OSError as error:  # ssl's errors are of this kind
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{key}: {path}: {reason}; name a PEM file that this user can read") from error


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
