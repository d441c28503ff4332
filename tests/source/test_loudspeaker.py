"""A real output stream into a real audio server, heard by its other end."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sed.config import SourceConfig
from sed.errors import DeviceError
from sed.ring import RingBuffer
from sed.source import loudspeaker as module
from sed.source.loudspeaker import Loudspeaker
from sed.source.microphone import Microphone
from sed.source.portaudio import portaudio
from tests.broker import PATIENCE_SECONDS, eventually
from tests.loudspeaker import VirtualAir
from tests.microphone import RATE, Listening

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def test_what_is_played_is_heard(tmp_path: Path) -> None:
    with VirtualAir(tmp_path, "street") as air:
        air.plug()
        portaudio().look_again("")
        ring = RingBuffer(20 * RATE)
        microphone = Microphone(SourceConfig(url="mic:street"), ring, RATE)
        with Listening(ring) as listening:
            microphone.start()
            try:
                eventually(lambda: microphone.state == "hearing" and listening.heard)
                speaker, before = Loudspeaker("street"), datetime.now(UTC)
                speaker.play(TONE, RATE, threading.Event())
                eventually(lambda: np.abs(listening.samples()).max() > 0.4)
                eventually(lambda: not np.abs(listening.samples()[-RATE // 10 :]).max())
            finally:
                microphone.stop()
                microphone.join(PATIENCE_SECONDS)
        heard = listening.samples()
    assert speaker.began_at is not None
    assert speaker.began_at >= before
    sounding = heard[np.flatnonzero(np.abs(heard) > 0.01)]
    assert len(sounding) == pytest.approx(RATE, rel=0.1)
    assert np.sqrt(2 * np.mean(sounding**2)) == pytest.approx(0.5, rel=0.1)


def test_playing_can_be_stopped(tmp_path: Path) -> None:
    with VirtualAir(tmp_path, "street") as air:
        air.plug()
        portaudio().look_again("")
        stop = threading.Event()
        stop.set()
        Loudspeaker("street").play(np.tile(TONE, 60), RATE, stop)  # returns long before the minute is over


def test_a_loudspeaker_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="loudspeaker 'cellar' cannot be opened"):
        Loudspeaker("cellar").play(TONE, RATE, threading.Event())


def test_one_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    with VirtualAir(tmp_path, "street") as air:
        air.plug()
        portaudio().look_again("")
        monkeypatch.setattr(Loudspeaker, "_fill", lambda self, out, *_: out.fill(0.0))
        with pytest.raises(DeviceError, match="takes no sound"):
            Loudspeaker("street").play(TONE[:100], RATE, threading.Event())
