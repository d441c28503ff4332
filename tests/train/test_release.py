"""What is chosen for a trained network before it ships."""

from pathlib import Path

import pytest

from sed.train.clips import Clip, targets
from sed.train.library import Library
from sed.train.material import Material
from sed.train.release import FEW, FIRST, calibrated, described
from sed.train.settings import TrainSettings
from tests.train.models import tiny_network, write_tiny


@pytest.mark.parametrize(("held", "chosen"), [(FEW - 1, {"siren"}), (FEW, {"siren", "gun_shot"})])
def test_a_rule_is_chosen_on_enough_clips_only(
    library: Library, clips: list[Clip], data: Path, tmp_path: Path, held: int, chosen: set[str]
) -> None:
    settings = TrainSettings(
        data=data, out=tmp_path / "tiny.onnx", labels=("siren",), extra=("gun_shot",), seconds=3.0, valid_scenes=6
    )
    known = [*clips, *targets(clips, "gun_shot", "valid") * (held - 1)]  # there is one already
    rules, reached = calibrated(settings, Material(known, library), known, write_tiny(tmp_path / "tiny.onnx"))
    assert set(reached) == chosen
    assert set(rules) <= chosen
    shipped = described(settings, tiny_network(), rules, {}, {}).rules["gun_shot"]
    assert not shipped.alert
    if held < FEW:
        assert shipped == FIRST["gun_shot"].model_copy(update={"alert": False})
