"""Streams in the network while they are listened to."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.signals import Floats
from sed.source import network as network_module
from sed.source import stream as stream_module
from sed.source.network import Network
from sed.source.opened import open_source
from tests.broker import eventually
from tests.microphone import Listening
from tests.rtsp import RATE

PATIENCE = 120.0  # seconds; the machine may be busy
NOISE = np.random.default_rng(4).normal(0.0, 0.1, 2 * RATE).astype(np.float32)
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)).astype(np.float32)
MUSIC = TONE + np.resize(NOISE, len(TONE))


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what would only make tests longer."""
    monkeypatch.setattr(network_module, "FIRST_DELAY", 0.1)
    monkeypatch.setattr(network_module, "LONGEST_DELAY", 0.3)
    monkeypatch.setattr(network_module, "LOST_SECONDS", 0.6)
    monkeypatch.setattr(network_module, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(stream_module, "OPEN_SECONDS", 1.5)
    monkeypatch.setattr(stream_module, "READ_SECONDS", 1.5)


@contextmanager
def opened(url: str, **settings: object) -> Iterator[tuple[Network, Listening]]:
    ring = RingBuffer(20 * RATE)
    network = open_source(SourceConfig.model_validate({"name": "yard", "url": url, **settings}), ring, RATE)
    assert isinstance(network, Network)
    with Listening(ring) as listening:
        network.start()
        try:
            yield network, listening
        finally:
            network.stop()
            network.join(PATIENCE)
    assert (network.state, network.reason) == ("stopped", "")


def wait_for(network: Network, state: str, reason: str = "") -> None:
    eventually(lambda: network.state == state and reason in network.reason, PATIENCE)


def wait_for_sound(listening: Listening, seconds: float) -> None:
    wanted = listening.heard + seconds * RATE
    eventually(lambda: listening.heard >= wanted, PATIENCE)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def pitch(sound: Floats) -> float:
    """Hz of its strongest tone."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(power)) * RATE / len(sound)
