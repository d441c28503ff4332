"""The picture of the augmentations: every switch is in it, under its own name, and changes something."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from sed.errors import UsageError
from sed.metadata import FrontendSettings
from sed.train.recipe import Recipe
from sed.train.showcase import Tile, check_showing, draw, tiles
from sed.train.spectral import Spectral
from tests.train.sounds import bang, noise, wail

SETTINGS = FrontendSettings()
MADE = {"drums", "made", "texture", "overlay", "synthetic"}
MOVED_OR_COVERED = {"speed", "stretch", "noise", "shift", "gaps", "blend", *MADE}
KNOWN = {field.name for kind in (Recipe, Spectral) for field in fields(kind)}


@pytest.fixture(scope="module")
def shown() -> list[Tile]:
    return tiles(0.5 * wail(3.0, 1) + 0.1 * noise(3.0, 1), bang(1.0, 2), SETTINGS, 0)


def test_every_tile_is_named_by_a_switch(shown: list[Tile]) -> None:
    assert {tile.switch.split()[0] for tile in shown} <= KNOWN
    assert len({(tile.switch, tile.setting) for tile in shown}) == len(shown)


@pytest.mark.parametrize(
    "switch",
    [
        *("gain", "noise", "shift", "speed", "stretch", "pitch", "equaliser", "band", "simulated", "codec"),
        *("clipping", "blend", "muted", "gaps", *sorted(MADE)),
    ],
)
def test_every_change_that_was_asked_for_is_shown(shown: list[Tile], switch: str) -> None:
    assert any(tile.switch == switch for tile in shown)


def test_every_tile_shows_a_change(shown: list[Tile]) -> None:
    for tile in shown:
        count = min(len(tile.before), len(tile.after))
        assert np.isfinite(tile.after).all()
        assert np.abs(tile.before[:count] - tile.after[:count]).mean() > 0.3, tile.switch


def test_onsets_stay_where_they_were(shown: list[Tile]) -> None:
    for tile in shown:
        if tile.switch.split()[0] in MOVED_OR_COVERED:
            continue
        before, after = (int(np.argmax(part.max(axis=1) > part.max() - 30.0)) for part in (tile.before, tile.after))
        assert after == pytest.approx(before, abs=3), (tile.switch, tile.setting)  # frames of 10 ms


def test_the_picture_is_written(shown: list[Tile], tmp_path: Path) -> None:
    draw(shown[:5], "five of them", SETTINGS, tmp_path / "new" / "out.png")
    assert (tmp_path / "new" / "out.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_picture_is_told_before_any_work() -> None:
    with pytest.raises(UsageError, match=r"out\.wav: need a name that ends in \.png"):
        check_showing(Path("out.wav"))
