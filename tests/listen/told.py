"""Bulletins for tests."""

import json
from typing import Any

import numpy as np

from sed.broadcast.bulletin import Bulletin, Kind

LABELS = ("siren", "gun_shot", "music")
HELLO: dict[str, object] = {
    "model": "toy",
    "labels": LABELS,
    "on": [0.6, 0.75, 0.5],
    "alert": [True, True, False],
}
STATE: dict[str, object] = {"state": "hearing", "dropped_samples": 0, "model": "toy"}


def told(kind: Kind, content: Any = None, seq: int = 0, source: str = "yard", session: str = "cafe") -> Bulletin:
    """One of any kind but scores."""
    return Bulletin(kind, "gate", source, session, seq, json.dumps(content).encode())


def scores(*rows: list[float], source: str = "yard", seq: int = 0) -> Bulletin:
    values = np.array(rows, "<f4")
    return Bulletin(
        "scores", "gate", source, "cafe", seq, values.tobytes(), 0, "2026-01-01T00:00:00.000Z", len(rows[0])
    )
