"""Model files that open and that do not, and the configuration file with its secrets."""

import hashlib
from pathlib import Path

import pytest

from sed.config import Config, load
from sed.doctor import configfile, model
from sed.doctor.finding import Check
from tests.toy import metadata, write_toy


def test_a_model_and_what_it_tells(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "toy.onnx")
    opened, told = model.look(Config(model=str(path)))
    assert opened.found.startswith("toy 1 opens, 1 labels, sha256 ")
    assert opened.found.split("sha256 ")[1][:12] == hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert (told.status, told.found) == ("ok", "tells of tone")


def test_a_model_that_tells_nothing(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "toy.onnx", metadata(alert=False))
    assert [finding.status for finding in model.look(Config(model=str(path)))] == ["ok", "warning"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("earwitness-99", None, "model 'earwitness-99': no such file, and no shipped model"),
        ("bad.onnx", b"nonsense", "not a model that ONNX Runtime can open"),
    ],
)
def test_models_that_cannot_be_used(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    wanted = str(tmp_path / name) if content is not None else name
    (finding,) = Check("model", lambda: model.look(Config(model=wanted))).run()
    assert finding.status == "failed"
    assert said in finding.found


def test_rules_that_do_not_fit_the_model(tmp_path: Path) -> None:
    config = Config.model_validate({"model": str(write_toy(tmp_path / "toy.onnx")), "rules": {"tome": {"on": 0.5}}})
    *_, finding = Check("model", lambda: model.look(config)).run()
    assert (finding.status, "rules.tome: no such label in toy" in finding.found) == ("failed", True)


def test_secrets_that_everyone_can_read(tmp_path: Path) -> None:
    file, secret = tmp_path / "earwitness.toml", tmp_path / "mqtt-password"
    secret.write_text("open sesame\n")
    file.write_text('node = "gate"\n[mqtt]\nurl = "mqtt://gate@broker"\npassword_file = "mqtt-password"\n')
    secret.chmod(0o600)
    (said,) = configfile.look(load(file))
    assert said.found == f"{file}: node gate, listens to mic (mic)"
    secret.chmod(0o644)
    *_, finding = configfile.look(load(file))
    assert (finding.status, finding.advice) == ("warning", f"chmod go= {secret}")
    assert "open sesame" not in finding.line


def test_a_password_in_the_file_itself(tmp_path: Path) -> None:
    file = tmp_path / "earwitness.toml"
    file.write_text('[mqtt]\nurl = "mqtt://gate@broker"\npassword = "open sesame"\n')
    file.chmod(0o640)
    assert len(list(configfile.look(load(file)))) == 1
    file.chmod(0o644)
    *_, finding = configfile.look(load(file))
    assert finding.advice == f"chmod go= {file}"
