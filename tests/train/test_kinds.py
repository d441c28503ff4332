"""Networks made from settings, and found again in what training leaves behind."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn

from sed.commands import train as command
from sed.errors import ModelError, UsageError
from sed.train.kinds import KINDS, trained, untrained
from sed.train.network import LAYERS
from sed.train.run import begin, restore, save, start
from sed.train.settings import TrainSettings
from sed.train.tcn import Tcn


@pytest.fixture
def settings(tmp_path: Path) -> TrainSettings:
    return TrainSettings(data=tmp_path, out=tmp_path / "tiny.onnx", cache=tmp_path, units=16, dropout=(0.2, 0.3))


def test_every_kind_can_be_asked_for() -> None:
    assert get_args(TrainSettings.model_fields["network"].annotation) == tuple(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_made_as_the_settings_say(settings: TrainSettings, kind: str) -> None:
    given = {"network": kind, "extra": ("dog_bark",), "channels": (4, 6, 8, 10)}
    made = untrained(settings.model_copy(update=given))
    assert (type(made), made.kind) == (KINDS[kind], kind)
    assert (made.mels, made.units, made.scores.out_features) == (64, 16, 4)
    assert [layer.channels for layer in made.layers] == [4, 6, 8, 10]
    assert [part.p for part in made.modules() if isinstance(part, nn.Dropout)] == [0.2, 0.3]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_said_is_as_wide_as_the_layers_are(settings: TrainSettings, kind: str) -> None:
    assert untrained(settings.model_copy(update={"network": kind})).layers == LAYERS


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_found_in_its_weights(settings: TrainSettings, kind: str) -> None:
    made = untrained(settings.model_copy(update={"network": kind, "channels": (4, 6, 8, 10)})).eval()
    found = trained(made.state_dict())
    assert type(found) is type(made)
    frames = torch.randn(1, 40, 64)
    torch.testing.assert_close(found(frames, *found.initial(1)), made(frames, *made.initial(1)))


def test_the_number_of_blocks_is_found_too() -> None:
    found = trained(Tcn(64, 2, 16, blocks=3).state_dict())
    assert isinstance(found, Tcn)
    assert found.reach == 27


def test_weights_of_neither_kind_are_refused() -> None:
    weights = Tcn(64, 2, 16).state_dict()
    with pytest.raises(RuntimeError, match=r"Missing key.*recurrent"):
        trained({name: part for name, part in weights.items() if not name.startswith("blocks.")})
    with pytest.raises(KeyError, match="mean"):
        trained({name: part for name, part in weights.items() if name != "mean"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_does_not_go_on_from_the_other_kind(settings: TrainSettings, kind: str) -> None:
    other = next(name for name in KINDS if name != kind)
    save(start(settings.model_copy(update={"network": other})), settings)
    own = settings.model_copy(update={"network": kind, "begin": "tiny"})
    with pytest.raises(ModelError, match="the checkpoint is of another network"):
        restore(start(own), own)
    with pytest.raises(ModelError, match="the checkpoint is of another network"):
        begin(start(own), own)


def test_another_network_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('network = "lstm"\n')
    with pytest.raises(UsageError, match=r"network.*'crnn' or 'tcn'"):
        command.run(tmp_path, tmp_path / "mine.onnx", tmp_path / "run.toml")
