"""`earwitness satellite`: a microphone here, whose sound a box elsewhere listens to."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sed import logs
from sed.complaints import complaints
from sed.config import Config, SourceConfig, default_node
from sed.config.zmq import stays_here
from sed.curve import Keys, PublicKey, read_keys, read_public_key
from sed.errors import EarwitnessError, UsageError
from sed.ring import RingBuffer
from sed.satellite.sender import Sender
from sed.satellite.wire import LONGEST_NAME, Format
from sed.source.opened import open_source
from sed.stopping import on_signal
from sed.values import SATELLITE, Channel

RING_SECONDS = 10.0

PATIENCE_SECONDS = 0.4
"""How long a source may take to end."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is sent where, and how."""

    to: str
    url: str
    name: str | None = None
    key: Path | None = None
    server_key: Path | None = None
    channel: Channel = 0
    gain_db: float = 0.0
    rate: int = 16_000
    form: Format = "int16"


def run(wish: Wish, config: Config) -> int:
    """Send until stopped or until the sound is over; returns the exit code. Raises UsageError or ConfigError."""
    if not config.may_keep_audio:
        raise UsageError(f"{config.file}: privacy.audio = false: no sound may leave this computer")
    address, keys, name = _address(wish.to), _keys(wish), wish.name or default_node()
    if not 0 < len(name.encode()) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(f"--name {name!r}: need 1 to {LONGEST_NAME} printable characters")
    logs.begin("info")
    source_config = _source(wish, name)
    ring = RingBuffer(round(RING_SECONDS * wish.rate))
    source = open_source(source_config, ring, wish.rate)
    sender = Sender(name, source, ring, address, keys, wish.form)
    _LOG.info("hears %s, sends it as %s to %s", source_config.shown, name, wish.to)
    with on_signal(sender.stop):
        source.start()
        sender.run()
        source.stop()
        source.join(PATIENCE_SECONDS)
    if source.reason and not sender.stopped:
        raise EarwitnessError(source.reason)
    return _told(sender, wish)


def _told(sender: Sender, wish: Wish) -> int:
    """0 if the box got all, or if we were stopped before it could."""
    if sender.left:
        _LOG.warning("%s: %.1f s of sound did not get there", wish.to, sender.left / wish.rate)
    return 1 if sender.left and not sender.stopped else 0


def _source(wish: Wish, name: str) -> SourceConfig:
    try:
        config = SourceConfig(name=name, url=wish.url, channel=wish.channel, gain_db=wish.gain_db)
    except ValidationError as error:
        raise UsageError(f"--source {wish.url}: {complaints(error, SourceConfig)[0]}") from error
    if config.kind == SATELLITE:
        raise UsageError(f"--source {wish.url}: that is for the box; name what this satellite shall hear, such as mic:")
    return config


def _address(to: str) -> str:
    """Where the box is, as ZeroMQ connects."""
    match = re.fullmatch(r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})", to)
    if match is None or not 1 <= int(match[2]) <= 65_535:
        raise UsageError(f"--to {to}: should be tcp://HOST:PORT, the port being the one of the box's zmq+tcp:// source")
    return to


def _keys(wish: Wish) -> tuple[Keys, PublicKey] | None:
    if (wish.key is None) != (wish.server_key is None):
        raise UsageError("--key and --server-key go together: our own secret key, and the box's public one")
    if wish.key is not None and wish.server_key is not None:
        return read_keys(wish.key), read_public_key(wish.server_key)
    if not stays_here(wish.to):
        raise UsageError(
            f"--to {wish.to}: sound leaves this computer: it needs --key and --server-key, made by 'earwitness keys'"
        )
    return None
