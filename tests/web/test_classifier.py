"""What is made of a recording, without a server around it."""

import asyncio
import io
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import AudioError
from sed.formats import Detection
from sed.metadata import Rule
from sed.web import classifier, limits
from sed.web.classifier import WAITING, BusyError, Classified, Classifier
from sed.web.limits import ClosedError, TooLongError
from tests.toy import RATE, bursts, metadata, write_toy

META = metadata(on=0.5, off=0.4, min_duration=0.08)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Classifier]:
    opened = Classifier(write_toy(tmp_path / "toy.onnx", META), lambda: META.rules)
    yield opened
    opened.close()


def endless(path: Path, seconds: float) -> Path:
    """FLAC that does not say how long it is: the 36 bits at the end of STREAMINFO are 0 (RFC 9639, 8.2)."""
    soundfile.write(target := io.BytesIO(), np.zeros(round(seconds * RATE), np.int16), RATE, format="FLAC")
    flac = target.getvalue()
    path.write_bytes(flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:])
    return path


def test_what_says_nothing_of_its_length_is_given_up_in_time(
    made: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 3.0)
    made.classify(str(endless(tmp_path / "short.flac", 2.0))).result(30.0)
    with pytest.raises(TooLongError):
        made.classify(str(endless(tmp_path / "bomb.flac", 60.0))).result(30.0)


def test_the_thread_steps_back(made: Classifier, tmp_path: Path) -> None:
    def niceness(_: str) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert made._submit(niceness, "").result(30.0) == min(19, before + classifier.NICE)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_what_waits_is_bounded(made: Classifier) -> None:
    places = [made.place() for _ in range(WAITING)]
    for place in places:
        place.__enter__()
    with pytest.raises(BusyError), made.place():
        pass
    for place in places:
        place.__exit__(None, None, None)
    with made.place():
        pass


def test_the_end_gives_up_what_is_being_heard_and_what_waits(made: Classifier, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", bursts((1.0, 2.0), seconds=500.0), RATE)
    waiting = [made.classify(str(tmp_path / "long.wav")) for _ in range(3)]
    made.close()
    with pytest.raises((ClosedError, CancelledError)):  # the latter if it was not begun
        waiting[0].result(30.0)
    assert all(each.cancelled() for each in waiting[1:])
    with pytest.raises(ClosedError):
        made.classify(str(tmp_path / "long.wav"))


def test_an_error_does_not_say_where_the_upload_lay(made: Classifier, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(AudioError, match=r"^not a recording that can be read"):
        made.classify(str(tmp_path / "x")).result(30.0)


def test_a_recording_that_is_no_clip_is_not_drawn(made: Classifier, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", bursts((0.5, 1.0), seconds=1.5), RATE)
    with pytest.raises(AudioError, match="no clip of earwitness"):
        made.draw(str(tmp_path / "x.wav")).result(30.0)


@pytest.mark.parametrize(
    ("score", "found", "alert", "flagged"),
    [
        (0.95, True, True, False),  # well above: sure
        (0.70, True, True, True),  # nearer to 0.6 than to 1
        (0.55, False, True, True),  # came near, and made none
        (0.45, False, True, False),
        (0.99, False, True, True),  # too short
        (0.99, False, False, False),  # of no interest
    ],
)
def test_what_somebody_should_listen_to(score: float, found: bool, alert: bool, flagged: bool) -> None:
    events = [Detection("x", 0.0, 1.0, "siren", score, -20.0)] if found else []
    told = Classified("toy", 2.0, {"siren": score}, events, {"siren": Rule(on=0.6, off=0.4, alert=alert)})
    assert told.for_review is flagged


def test_it_is_asked_from_an_event_loop(made: Classifier, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", bursts((0.5, 1.0), seconds=1.5), RATE)

    async def ask() -> Classified:
        return await asyncio.wrap_future(made.classify(str(tmp_path / "x.wav")))

    assert [event.label for event in asyncio.run(ask()).events] == ["tone"]
