"""examples/install.md: its commands exist, its files can be used together, and what it shows is what comes."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer

from sed.cli import app
from sed.config import load
from sed.selftest.siren import make_siren
from tests.broker import Broker, eventually
from tests.daemon import START_SECONDS, Run
from tests.test_cli import earwitness

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples" / "install.md").read_text()
UNIT, DROP_IN = ROOT / "systemd" / "earwitness.service", ROOT / "systemd" / "credentials.conf"
USERS = {"gate": "open sesame", "homeassistant": "open barley"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """The arguments of each call of a program that the text tells to run."""
    words = [shlex.split(line) for block in blocks("sh") for line in block.splitlines() if line]
    words += [shlex.split(quoted) for quoted in re.findall(rf"`((?:sudo )?{program} [^`]*)`", TEXT)]
    plain = [line[1:] if line[0] == "sudo" else line for line in words]
    return [line[1:] for line in plain if line[0] == program]


@pytest.mark.parametrize("arguments", commands("earwitness"), ids=" ".join)
def test_every_command_and_option_exists(arguments: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    known = {option for parameter in command.params for option in parameter.opts}
    left = list(arguments)
    while hasattr(command, "commands") and not left[0].startswith("-"):
        command = command.commands[left.pop(0)]
        known |= {option for parameter in command.params for option in parameter.opts}
    assert {word for word in left if word.startswith("-")} <= known


def test_commands_were_found() -> None:
    assert len(commands("earwitness")) >= 8
    assert len(commands("systemctl")) >= 5


def test_units_that_are_named_are_those_that_are_shipped() -> None:
    for name in re.findall(r"systemd/[a-z.]+", TEXT):
        if not name.startswith("systemd/system"):
            assert (ROOT / name).is_file()


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The unit and its drop-in, laid out as in /etc/systemd/system, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    (tmp_path / UNIT.name).write_text(UNIT.read_text().replace("/opt/earwitness/bin/earwitness", sys.executable))
    (tmp_path / f"{UNIT.name}.d").mkdir()
    shutil.copy(DROP_IN, tmp_path / f"{UNIT.name}.d")
    return tmp_path


def verified(units: Path) -> tuple[int, str]:
    command = ["systemd-analyze", "verify", str(units / UNIT.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_systemd_takes_the_unit_with_its_credentials(units: Path) -> None:
    assert verified(units) == (0, "")
    drop_in = units / f"{UNIT.name}.d" / DROP_IN.name
    drop_in.write_text(DROP_IN.read_text().replace("#LoadCredentialEncrypted", "LoadCredentialEncrypted"))
    assert verified(units) == (0, "")
    drop_in.write_text(DROP_IN.read_text().replace("LoadCredential=", "LoadCredentials="))  # it is looked at
    assert "LoadCredentials" in verified(units)[1]


def test_the_configuration_says_what_the_text_says(tmp_path: Path) -> None:
    config = load(configured(tmp_path, 1883))
    assert (config.node, [source.url for source in config.source]) == ("gate", ["mic:USB Audio"])
    assert config.mqtt is not None
    assert config.mqtt.secret() == USERS["gate"]
    assert f"LoadCredential={config.mqtt.password_file}:/etc/earwitness/mqtt-password" in DROP_IN.read_text()
    assert str(config.journal.path) == "/var/lib/earwitness/journal.db"
    assert "StateDirectory=earwitness\n" in UNIT.read_text()
    assert "run -c /etc/earwitness/earwitness.toml" in UNIT.read_text()


def test_as_written_it_leads_to_what_is_shown(tmp_path: Path) -> None:
    """Broker, users and rights as in the text; the daemon, Home Assistant's user, and a selftest at the same time."""
    (access,), (conf,) = blocks("acl"), blocks("conf")
    assert set(conf.splitlines()) == {
        "listener 1883", "allow_anonymous false", "password_file /etc/mosquitto/passwords",
        "acl_file /etc/mosquitto/access",
    }  # fmt: skip
    siren = make_siren()
    soundfile.write(tmp_path / "siren.wav", np.concatenate([siren.samples, np.zeros(300 * siren.rate)]), siren.rate)
    with Broker(tmp_path, users=USERS, access=access) as broker:
        file = configured(tmp_path, broker.port, "file:siren.wav")
        with Home(broker, tmp_path) as home, Run(tmp_path, "-c", file) as run:
            with ThreadPoolExecutor() as others:
                doctor, selftest = others.map(lambda command: earwitness(command, "-c", file), ("doctor", "selftest"))
            eventually(lambda: run.events("end"), START_SECONDS)
            eventually(lambda: shape(home.heard()) >= shape(shown()), START_SECONDS)
    announced = json.loads(dict(home.heard())["homeassistant/device/earwitness__gate/config"])
    (entity,) = blocks("json")
    assert announced["components"]["yard__siren__sound"] == json.loads(entity)
    assert doctor.returncode == 0, doctor.stdout
    assert [line.split()[0] for line in doctor.stdout.splitlines() if " broker " in line] == ["ok", "ok"]
    assert selftest.returncode == 0, selftest.stdout + selftest.stderr


class Home:
    """Home Assistant's user, listening."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self._path = folder / "home"
        where = ["-h", "127.0.0.1", "-p", str(broker.port), "-u", "homeassistant", "-P", USERS["homeassistant"]]
        command = ["stdbuf", "-oL", "mosquitto_sub", *where, "-v", "-t", "earwitness/gate/#", "-t", "homeassistant/#"]
        self._out = self._path.open("wb")
        self._process = subprocess.Popen([*command, "-q", "1"], stdout=self._out)

    def heard(self) -> list[tuple[str, str]]:
        whole, _, _ = self._path.read_text().rpartition("\n")
        return [split(line) for line in whole.splitlines()]

    def __enter__(self) -> "Home":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(START_SECONDS)
        self._out.close()


def configured(folder: Path, port: int, url: str = "") -> Path:
    """The text's configuration, with its password beside it; only what a test has to be spared is otherwise."""
    (text,) = blocks("toml")
    (folder / "mqtt-password").write_text(USERS["gate"])
    if url:
        text = text.replace("mic:USB Audio", url).replace("/var/lib/earwitness", str(folder))
    (folder / "earwitness.toml").write_text(text.replace("@localhost:1883", f"@127.0.0.1:{port}"))
    return folder / "earwitness.toml"


def split(line: str) -> tuple[str, str]:
    topic, _, payload = line.partition(" ")
    return topic, payload


def shown() -> list[tuple[str, str]]:
    return [split(line) for block in blocks("messages") for line in block.splitlines()]


def shape(messages: list[tuple[str, str]]) -> set[str]:
    """What does not depend on the moment: topics, words, keys, and the values of those keys that are words."""
    return {f"{topic} {_words(payload)}" for topic, payload in messages}


def _words(payload: str) -> str:
    if not payload.startswith("{"):
        return re.sub(r"-?\d+\.\d", "NUMBER", payload)
    told = json.loads(payload)
    changing = {"id", "onset", "offset", "duration", "score", "level_dbfs", "detected_at"}
    return str({key: type(value).__name__ if key in changing else value for key, value in told.items()})
