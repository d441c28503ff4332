"""What splitting a recording changed: its pieces against the whole of it."""

import numpy as np

from sed.archive.engine import Order, Outcome
from sed.archive.pieces import Seams
from sed.archive.plan import WHOLE
from sed.formats import Detection
from sed.metadata import Metadata


class Difference:
    """Gathers the pieces of one recording and the whole of it, and says how they differ."""

    def __init__(self, metadata: Metadata, order: Order) -> None:
        self._metadata, self._order = metadata, order
        self._pieces: list[Outcome] = []
        self._whole: Outcome | None = None

    def add(self, outcome: Outcome) -> None:
        """Take in a piece, or the whole."""
        if outcome.piece == WHOLE:
            self._whole = outcome
        else:
            self._pieces.append(outcome)

    def __str__(self) -> str:
        """One line; empty if the recording could not be heard both ways."""
        whole, pieces = self._whole, self._pieces
        if whole is None or whole.part is None or whole.piece is None or not pieces or pieces[0].piece is None:
            return ""
        if len(pieces) < pieces[0].piece.of or any(piece.part is None for piece in pieces):
            return ""
        of_whole, of_pieces = self._spans([whole]), self._spans(pieces)
        furthest = max(self._furthest(piece) for piece in pieces)
        return (
            f"split: {whole.recording.name} in {len(pieces)} pieces, each after {self._order.warm_up:g} s of warm-up, "
            f"against the whole: {len(of_whole & of_pieces)} events the same, {len(of_whole - of_pieces)} only in the "
            f"whole, {len(of_pieces - of_whole)} only in the pieces; scores differ by {furthest:.2g} at most"
        )

    def _spans(self, outcomes: list[Outcome]) -> set[tuple[str, float, float]]:
        seams = Seams("", self._metadata, self._order)
        found: tuple[Detection, ...] = ()
        for outcome in outcomes:
            if (joined := seams.add(outcome)) is not None:
                found = joined.detections
        return {(one.label, round(one.onset, 3), round(one.offset, 3)) for one in found}

    def _furthest(self, piece: Outcome) -> float:
        assert self._whole is not None  # noqa: S101 - looked at before, as the next
        assert self._whole.part is not None  # noqa: S101
        assert piece.part is not None  # noqa: S101
        first = piece.part.start // piece.part.hop
        ours, theirs = piece.part.scores, self._whole.part.scores[first:]
        rows = min(len(ours), len(theirs))
        return float(np.abs(ours[:rows] - theirs[:rows]).max(initial=0.0))
