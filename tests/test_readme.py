"""The README: every configuration in it can be loaded as it stands, and every command in it exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from sed.cli import app
from sed.config import load
from sed.curve import Keys, write_keys

TEXT = (Path(__file__).parents[1] / "README.md").read_text()
CONFIGS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"earwitness ([a-z][a-z-]*)\b(?! \d)", " ".join(re.findall(r"`[^`]*`", TEXT)))))


@pytest.mark.parametrize("text", CONFIGS, ids=range(len(CONFIGS)))
def test_a_configuration_can_be_loaded(text: str, tmp_path: Path) -> None:
    for secret in ("mqtt-password", "camera-password"):
        (tmp_path / secret).write_text("secret\n")
    (tmp_path / "satellites").mkdir()
    write_keys(tmp_path / "box", Keys.new("box"))
    write_keys(tmp_path / "satellites" / "gate", Keys.new("gate"))
    (tmp_path / "satellites" / "gate.key").unlink()
    (tmp_path / "readme.toml").write_text(text)
    assert load(tmp_path / "readme.toml").source


def test_every_command_exists() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    assert len(CONFIGS) >= 3
    assert len(COMMANDS) > 15
    assert set(COMMANDS) <= set(known)
