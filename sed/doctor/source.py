"""One `[[source]]`: whether it opens, and what its sound is like over two seconds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from sed.config import SourceConfig
from sed.doctor.access import users_of_inputs
from sed.doctor.finding import Finding, failed, ok, refused, warning
from sed.level import dbfs
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS, Floats
from sed.source.opened import Source, open_source
from sed.values import SATELLITE

RATE = 16_000
SECONDS = 2.0
SETTLE_SECONDS = 0.5
"""Of sound that is not judged: audio servers begin with zeros, sound cards with a click."""

OPEN_SECONDS = 12.0
"""How long it may take until all of that has come."""

PATIENCE_SECONDS = 2.0
"""How long a source may say that it is lost before it is believed."""

STOP_SECONDS = 2.0
QUIET_DBFS = -70.0
"""A peak below this is no microphone in a room."""

FULL = 0.98
CLIPPED_SHARE = 0.001
"""Of samples at full scale: loud sound has some, clipped sound has many."""

OFFSET = 0.03
"""Of full scale; more takes room from the sound."""

UNOPENED = "not opened yet"
MIXER = "alsamixer -V capture"


def look(config: SourceConfig) -> Iterator[Finding]:
    """Listen, then judge."""
    if config.kind == "-":
        yield ok("standard input: whatever is piped into 'earwitness run'")
        return
    if config.kind == SATELLITE:
        yield ok(f"{config.shown}: satellites send to it; whether they do is in the log of the daemon")
        return
    samples, reason = listened(config)
    samples = samples[round(SETTLE_SECONDS * RATE) :]
    if not len(samples):
        yield _unheard(config, reason or "it has no sound")
        return
    yield ok(f"{_called(config)} opens, {len(samples) / RATE:.1f} s heard{_channel(config)}")
    yield from judged(Sound.of(samples), config.gain_db)


@dataclass(frozen=True, slots=True)
class Sound:
    """What some samples are like; full scale is 1."""

    peak: float
    rms: float
    offset: float
    clipped: float  # share of samples

    @classmethod
    def of(cls, samples: Floats) -> Self:
        """Measured."""
        size, mean = np.abs(samples), float(samples.mean(dtype=np.float64))
        return cls(float(size.max()), float(np.std(samples, dtype=np.float64)), mean, float(np.mean(size >= FULL)))


def judged(sound: Sound, gain_db: float = 0.0) -> Iterator[Finding]:
    """What is wrong with it, or how loud it is; `gain_db` comes on top and cannot mend what is clipped before it."""
    peak, level = _decibels(sound.peak) + gain_db, _decibels(sound.rms) + gain_db
    said = f"peak {peak:.1f} dBFS, mean {level:.1f} dBFS"
    if sound.peak == 0.0:
        yield failed("nothing but zeros: muted, or the wrong input", "unmute it (alsamixer), or name another")
        return
    if sound.clipped > CLIPPED_SHARE:
        share = f"{100 * sound.clipped:.1f} %"
        yield warning(f"clipped: {share} of samples at full scale", f"lower its volume ({MIXER})")
    if abs(sound.offset) > OFFSET:
        share = f"{100 * abs(sound.offset):.0f} %"
        yield warning(f"DC offset of {share} of full scale", "try another socket, adapter or sound card")
    if peak < QUIET_DBFS:
        yield warning(f"{said}: hardly anything is heard", f"raise its volume ({MIXER}), or gain_db")
    else:
        yield ok(said)


def listened(config: SourceConfig) -> tuple[Floats, str]:
    """What is heard, (n,) at RATE before any gain, and what is wrong if it was not enough."""
    wanted = round((SETTLE_SECONDS + SECONDS) * RATE)
    ring = RingBuffer(2 * wanted)
    source = open_source(config.model_copy(update={"gain_db": 0.0}), ring, RATE)
    source.start()
    try:
        reason = _wait(source, ring, wanted)
    finally:
        source.stop()
        source.join(STOP_SECONDS)
        ring.close()
    blocks = [block.samples for block in ring.blocks(1)]
    return np.concatenate(blocks)[:wanted] if blocks else np.zeros(0, np.float32), reason


def _wait(source: Source, ring: RingBuffer, wanted: int) -> str:
    """Until enough has come, or none will; returns what the source complains of."""
    begin = time.monotonic()
    lost_since, reason = begin, ""
    while ring.waiting < wanted and (now := time.monotonic()) < begin + OPEN_SECONDS:
        state, reason = source.state, source.reason
        if state == "stopped":
            return source.reason
        if state != "lost" or reason in ("", UNOPENED):
            lost_since = now
        elif now - lost_since > PATIENCE_SECONDS:
            break
        time.sleep(0.05)
    return reason


def _unheard(config: SourceConfig, reason: str) -> Finding:
    """Why, and who else may be in the way."""
    called = _called(config)
    finding = refused(reason if reason.startswith(called) else f"{called}: {reason}")
    others = users_of_inputs() if config.kind == "mic" else []
    if any(other.startswith("earwitness ") for other in others):
        said = f"{finding.found}; in use: {', '.join(others)}"
        return warning(said, "if that is the daemon it may be well; stop it to ask again")
    if others:
        return failed(f"{finding.found}; in use: {', '.join(others)}", finding.advice)
    return finding


def _called(config: SourceConfig) -> str:
    """Its URL, without secrets."""
    return "the default microphone" if config.url == "mic:" else config.shown


def _channel(config: SourceConfig) -> str:
    return ", all channels mixed" if config.channel == "mix" else f", channel {config.channel}"


def _decibels(amplitude: float) -> float:
    return max(FLOOR_DBFS, dbfs(amplitude**2))
