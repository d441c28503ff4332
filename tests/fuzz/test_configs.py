"""Configurations that nobody meant: taken, or refused with lines that name the file."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.config import Config, load, merged_rules, overridden
from sed.errors import ConfigError
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.fuzz.memory import bounded
from tests.toy import metadata

EXAMPLE = b"""
node = "gate"
model = "earwitness-1"
[[source]]
name = "yard"
url = "mic:USB Audio"
channel = 0
gain_db = 0.0
[[source]]
name = "street"
url = "rtsp://camera@10.0.0.5:554/sound"
[rules.tone]
on = 0.8
off = 0.5
min_duration = 0.08
alert = true
[mqtt]
url = "mqtt://gate@broker:1883"
prefix = "earwitness"
discovery = true
max_age = "7d"
[journal]
path = "journal.db"
max_size = "500MB"
[clips]
enabled = false
pre = 2.0
post = 3.0
[zmq]
publish = "tcp://127.0.0.1:5556"
[metrics]
port = 9464
"""
TABLES = ("node", "model", "source", "rules", *sorted(set(Config.model_fields) - {"node", "model", "source", "rules"}))
KEYS = sorted({key for table in tomllib.loads(EXAMPLE.decode()).values() if isinstance(table, dict) for key in table})
WORDS = st.sampled_from(
    [
        "url",
        "name",
        "on",
        "tone",
        "siren",
        "tcp://*:1",
        "mic:",
        "file:",
        "-",
        "mix",
        "7d",
        "1MB",
        "~nobody/x",
        "file:~nobody",
        "9" * 400 + "MB",
        *KEYS,
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | WORDS
    | st.dates()
    | st.binary(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from(TABLES) | st.text(max_size=8), VALUES, max_size=4)


def taken(path: Path) -> Config | None:
    """The configuration, or None where it is refused as it should be."""
    try:
        config = load(path)
        merged_rules(config, metadata())
    except ConfigError as error:
        for line in str(error).splitlines():
            one_line(ConfigError(line), f"{path}: ")
        return None
    assert repr(config)
    assert all(source.path.name is not None for source in config.source)
    return config


def test_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.toml"

    @fuzzed(100)
    @given(spoilt(EXAMPLE))
    def read(data: bytes) -> None:
        path.write_bytes(data)
        taken(path)

    path.write_bytes(EXAMPLE)
    assert taken(path) is not None
    read()


def test_a_value_in_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"

    @fuzzed(120)
    @given(st.data(), VALUES)
    def read(data: st.DataObject, value: Any) -> None:
        document: Any = tomllib.loads(EXAMPLE.decode())
        inner = document
        while isinstance(inner, dict | list) and inner:
            key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
            if not isinstance(inner[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
                inner[key] = value
                break
            inner = inner[key]
        written = toml(document)
        if written is not None:
            path.write_text(written)
            taken(path)

    read()


def test_any_document(tmp_path: Path) -> None:
    path = tmp_path / "any.toml"

    @fuzzed(120)
    @given(DOCUMENTS)
    def read(document: dict[str, Any]) -> None:
        written = toml(document)
        if written is not None:
            path.write_text(written)
            taken(path)

    read()


@pytest.mark.parametrize(
    "text",
    [
        f'[journal]\nmax_size = "{"9" * 400}MB"',
        f'[journal]\nmax_age = "{"9" * 400}d"',
        '[journal]\npath = "~nobody-here/journal.db"',
        '[[source]]\nurl = "file:~nobody-here/a.wav"',
        '[[source]]\nurl = "file:a\\u0000b"',
    ],
)
def test_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    assert taken(path) is None


BOMBS = {
    "nested arrays": "node = " + "[" * 100_000,
    "nested tables": "node = " + "{a = " * 100_000,
    "nested keys": "a." * 100_000 + "a = 1",
    "a long number": "node = " + "9" * 100_000,
    "a long name": f'node = "{"x" * 100_000}"',
    "many sources": "[[source]]\n" * 20_000,
    "ten megabytes": "# nothing\n" * 1_000_000,
}


def test_bombs(tmp_path: Path) -> None:
    for name, text in BOMBS.items():
        (tmp_path / name).write_text(text)
    imports = "from pathlib import Path\nfrom tests.fuzz.test_configs import taken"
    paths = f"[*sorted(Path({str(tmp_path)!r}).iterdir()), Path('/dev/zero')]"
    told = bounded(imports, f"for path in {paths}:\n    print(path.name, taken(path) is None, sep=': ')")
    refused = dict(line.rsplit(": ", 1) for line in told.splitlines())
    assert refused == {**dict.fromkeys(BOMBS, "True"), "zero": "True"}


@fuzzed(100)
@given(st.text(max_size=30) | st.from_regex(r"[a-z]{1,4}\.(on|off|alert|x)=.{0,8}", fullmatch=True))
def test_rules_of_the_command_line(rule: str) -> None:
    try:
        overridden(Config(), rules=[rule])
    except ConfigError as error:
        for line in str(error).splitlines():
            one_line(ConfigError(line), "command line: ")


def toml(value: Any) -> str | None:
    """A document as TOML, inline; None if TOML has no word for something in it."""
    try:
        return "\n".join(f"{_string(key)} = {_inline(each)}" for key, each in value.items())
    except TypeError:
        return None


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(key)} = {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int | float):
        return repr(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(value)


def _string(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text if not 0xD800 <= ord(char) < 0xE000) + '"'
