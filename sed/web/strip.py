"""What a browser draws: columns of a spectrogram and rows of scores, eight bits each, and when they begin."""

import base64
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sed.message import Message, Timekeeper
from sed.signals import Frames, Scores

FLOOR_DB, STEP_DB = -100.0, 0.6
"""What byte 0 of a log-mel column stands for, and how much more the next one: 255 is 53 dB."""

Kind = Literal["mel", "scores"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive columns or rows, as bytes."""

    kind: Kind
    start: int  # samples
    end: int  # samples
    data: bytes


def mel_piece(frames: Frames) -> Piece:
    """Half a dB more or less is not seen."""
    steps = np.clip((frames.values - np.float32(FLOOR_DB)) / np.float32(STEP_DB), 0.0, 255.0)
    return Piece("mel", frames.start, frames.start + frames.hop * len(steps), np.rint(steps).astype(np.uint8).tobytes())


def score_piece(scores: Scores) -> Piece:
    """Nor is a 500th of the scale."""
    steps = np.rint(scores.values * np.float32(255.0))
    return Piece("scores", scores.start, scores.end, steps.astype(np.uint8).tobytes())


@dataclass(slots=True)
class Strips:
    """Pieces that follow on each other, a strip of each kind."""

    pieces: dict[Kind, list[Piece]] = field(default_factory=dict)

    def takes(self, piece: Piece) -> bool:
        """Whether the piece follows on, and is taken."""
        strip = self.pieces.setdefault(piece.kind, [])
        if strip and strip[-1].end != piece.start:
            return False
        strip.append(piece)
        return True

    def told(self, clock: Timekeeper) -> Message:
        """As it is sent; raises ValueError while the clock has not observed anything."""
        told: Message = {}
        for kind, strip in self.pieces.items():
            told[kind] = base64.b64encode(b"".join(piece.data for piece in strip)).decode()
            told[f"{kind}_at"] = clock.stamp(strip[0].start)
        return told
