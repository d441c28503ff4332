"""What the trial runs with: the model, rules and broker that are configured, and nothing that others look at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sed.config import Config, MqttConfig, SourceConfig, load
from sed.errors import DeviceError, UsageError
from sed.selftest import siren, trial
from sed.selftest.trial import microphone, staged, through_the_air, through_the_path
from tests.toy import metadata, write_toy


def test_it_is_told_apart_and_keeps_what_is_to_be_tested(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "node": "gate",
            "rules": {"siren": {"on": 0.7}},
            "mqtt": MqttConfig(url="mqtt://gate@broker", client_id="box-7", prefix="yard"),
            "journal": {"path": tmp_path / "real.db"},
            "source": [{"name": "yard", "url": "mic:USB", "channel": 1, "gain_db": 6.0}],
        }
    )
    trial = staged(config, config.source[0], tmp_path)
    assert trial.node == "gate-selftest"
    assert trial.source == (SourceConfig(name="selftest", url="mic:USB", channel=1, gain_db=6.0),)
    assert trial.rules == config.rules
    assert trial.journal.path == tmp_path / "journal.db"
    assert trial.mqtt is not None
    assert (trial.mqtt.url, trial.mqtt.prefix) == ("mqtt://gate@broker", "yard")
    assert (trial.mqtt.client_id, trial.mqtt.discovery) == (None, False)
    others = set(Config.model_fields) - {"node", "model", "source", "rules", "mqtt", "journal"}
    assert {key: getattr(trial, key) for key in others} == {key: getattr(Config(), key) for key in others}


def test_a_password_beside_the_configuration_is_found(tmp_path: Path) -> None:
    (tmp_path / "mqtt-password").write_text("open sesame\n")
    (tmp_path / "c.toml").write_text('[mqtt]\nurl = "mqtt://gate@broker"\npassword_file = "mqtt-password"\n')
    staged_mqtt = staged(load(tmp_path / "c.toml"), SourceConfig(), tmp_path).mqtt
    assert staged_mqtt is not None
    assert staged_mqtt.secret() == "open sesame"


def test_a_siren_that_would_not_be_told(tmp_path: Path) -> None:
    for config in (
        Config.model_validate({"rules": {"siren": {"alert": False}}}),
        Config(model=str(write_toy(tmp_path / "toy.onnx"))),
    ):
        with pytest.raises(UsageError, match="siren does not alert here, nothing would be told; set"):
            staged(config, SourceConfig(), tmp_path)


def test_the_first_microphone_or_the_one_that_is_named() -> None:
    sources = (SourceConfig(name="tape", url="file:a.wav"), SourceConfig(name="a"), SourceConfig(name="b"))
    config = Config(source=sources)
    assert [microphone(config, name).name for name in (None, "b")] == ["a", "b"]
    for name in ("tape", "c"):
        with pytest.raises(UsageError, match=r"no such microphone in the configuration \(there are: a, b\)"):
            microphone(config, name)


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    """A configuration whose model takes whatever is loud for a siren, and a short one."""
    monkeypatch.setattr(siren, "LEAD", 0.5)
    monkeypatch.setattr(siren, "SECONDS", 1.0)
    monkeypatch.setattr(siren, "TAIL", 0.5)
    monkeypatch.setattr(siren, "NOISE", 1e-5)

    def configured(**rule: float) -> Config:
        model = write_toy(tmp_path / "toy.onnx", metadata(("siren",), 2, **rule))
        return Config(model=str(model), source=(SourceConfig(url="mic:nowhere"),))

    return configured


def test_the_alert_and_its_end_come(listening: Callable[..., Config]) -> None:
    verdict = through_the_path(listening(on=0.5, off=0.4, min_duration=0.2))
    assert (verdict.missing, verdict.rejected, verdict.played_at) == ("", "", None)
    assert verdict.alert is not None
    assert verdict.alert.message["source"] == "selftest"
    assert 0.2 < verdict.alert.after("onset") < 10.0  # the siren has to last so long; a busy computer may be late


def test_a_rule_that_no_siren_meets(listening: Callable[..., Config]) -> None:
    verdict = through_the_path(listening(on=0.5, off=0.4, min_duration=60.0, max_gap=1.0))
    assert (verdict.alert, verdict.missing, verdict.rejected) == (None, "no alert came", "1 short")


def test_a_microphone_that_is_not_there(
    listening: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trial, "HEAR_SECONDS", 1.5)
    config = listening()
    with pytest.raises(DeviceError, match="the microphone is lost; 'earwitness doctor' says what to do"):
        through_the_air(config, config.source[0], "")
    assert "source selftest: lost: no microphone 'nowhere'" in caplog.text
