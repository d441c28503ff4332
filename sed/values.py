"""Kinds of values in the configuration, each with its own complaint."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from sed.errors import ConfigError

PASSWORD_VARIABLE = "EARWITNESS_MQTT_PASSWORD"  # noqa: S105 - a name, not a password

DATABASE_PASSWORD_VARIABLE = "EARWITNESS_DATABASE_PASSWORD"  # noqa: S105 - a name, too

NETWORK = ("rtsp", "rtsps", "http", "https")
"""What the URL of a stream in the network begins with."""

SATELLITE = "zmq+tcp"
"""And that of one which a satellite brings its sound to."""

_AGES = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SIZES = {"kB": 10**3, "MB": 10**6, "GB": 10**9}


def checked_level(value: str) -> str:
    """A level of an MQTT topic, as it is. Raises ValueError if the protocol forbids it."""
    if not value or re.search(r"[+#/\x00-\x1f\x7f-\x9f]", value) or value.startswith("$"):
        raise ValueError(f"is a level of MQTT topics: should have characters, none of + # /, no $ first, got {value!r}")
    return value


def check_levels(key: str, *names: str) -> None:
    """For names from elsewhere than the configuration. Raises ConfigError."""
    for name in names:
        try:
            checked_level(name)
        except ValueError as error:
            raise ConfigError(f"{key}: {error}") from error


def _age(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smhdw])", value)
    if match is None:
        raise ValueError(f'should be an age such as "12h" or "30d", got {value!r}')
    return float(match[1]) * _AGES[match[2]]


def _size(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(kB|MB|GB)", value)
    if match is None:
        raise ValueError(f'should be a size such as "500MB" or "2GB", got {value!r}')
    return round(min(float(match[1]), 1e15) * _SIZES[match[2]])


def _channel(value: object) -> object:
    if value == "mix" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f'should be a channel number from 0 on, or "mix", got {value!r}')


def _broker_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.password is not None:
        raise ValueError(f"no password in the URL, please: use password_file or {PASSWORD_VARIABLE}")
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or extra or port == 0:
        got = "" if "@" in value else f", got {value!r}"
        raise ValueError(f"should be mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS{got}")
    return value


def _database_url(value: str, info: ValidationInfo) -> str:
    """A relative path of a file starts at the config file, too."""
    try:
        parts = urlsplit(value)
        whole = parts.port != 0 and bool(parts.path.strip("/"))
    except ValueError:
        parts, whole = urlsplit(""), False
    if parts.password is not None:
        raise ValueError(f"no password in the URL, please: use password_file or {DATABASE_PASSWORD_VARIABLE}")
    if not re.match(r"sqlite:///|postgres(ql)?://", value) or not whole or not value.isprintable():
        got = "" if "@" in value else f", got {value!r}"
        raise ValueError(f"should be sqlite:///PATH or postgresql://USER@HOST[:PORT]/NAME{got}")
    if parts.scheme != "sqlite":
        return value
    return f"sqlite:///{_beside(Path(value.removeprefix('sqlite:///')), info).absolute()}"


def _source_url(value: str) -> str:
    kind = value.partition(":")[0]  # what follows may hold a password
    if kind in NETWORK:
        return _stream_url(value, kind)
    if kind == SATELLITE:
        return _satellite_url(value)
    if not re.fullmatch(r"mic:.*|file:.+|-", value, re.DOTALL):
        kinds = "mic: or mic:NAME, file:PATH, rtsp://HOST/PATH, http://HOST/PATH, zmq+tcp://ADDRESS:PORT"
        raise ValueError(f"should be {kinds}, or - for standard input, got {kind!r}")
    return value


def _stream_url(value: str, kind: str) -> str:
    try:
        parts = urlsplit(value)
        whole = bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        whole = False
    if not whole or not value.isprintable() or " " in value:
        escapes = "in a user or password @ is written %40, : %3A, / %2F, # %23"
        raise ValueError(f"should be {kind}://[USER[:PASSWORD]@]HOST[:PORT][/PATH]; {escapes}")
    return value


def _satellite_url(value: str) -> str:
    match = re.fullmatch(r"zmq\+tcp://(\*|localhost|\[[0-9A-Fa-f:.]+\]|[0-9.]+):(\d{1,5})(/[^/?#\s]{1,64})?", value)
    try:
        if match is None or not 1 <= int(match[2]) <= 65_535:
            raise ValueError
        if match[1] not in ("*", "localhost"):
            ip_address(match[1].strip("[]"))
    except ValueError:
        raise ValueError(
            "should be zmq+tcp://ADDRESS:PORT[/SATELLITE], with an address of this computer, 0.0.0.0 standing for all"
        ) from None
    return value


def expanded(path: Path) -> Path:
    """With the home directory that `~` or `~USER` stands for. Raises ValueError if no file can have that name."""
    if "\0" in str(path):
        raise ValueError(f"should be a path, got {str(path)!r}")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"should be a path: there is no such user, got {str(path)!r}") from error


def _beside(path: Path, info: ValidationInfo) -> Path:
    """A relative path starts at the config file, wherever the daemon was started."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / expanded(path)


TopicLevel = Annotated[str, AfterValidator(checked_level)]
SourceUrl = Annotated[str, Field(min_length=1), AfterValidator(_source_url)]
BrokerUrl = Annotated[str, AfterValidator(_broker_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Channel = Annotated[int | Literal["mix"], BeforeValidator(_channel)]
Age = Annotated[float, BeforeValidator(_age), Field(gt=0.0, description="seconds")]
Size = Annotated[int, BeforeValidator(_size), Field(ge=100_000, le=10**15, description="bytes")]
FilePath = Annotated[Path, AfterValidator(_beside)]
