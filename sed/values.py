"""Kinds of values in the configuration, each with its own complaint."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from sed.errors import ConfigError

PASSWORD_VARIABLE = "EARWITNESS_MQTT_PASSWORD"  # noqa: S105 - a name, not a password

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
    return round(float(match[1]) * _SIZES[match[2]])


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


def _source_url(value: str) -> str:
    if not re.fullmatch(r"mic:.*|file:.+|-", value, re.DOTALL):
        kind = value.partition(":")[0]  # what follows may hold a password
        raise ValueError(f"should be mic: or mic:NAME, file:PATH, or - for standard input, got {kind!r}")
    return value


def _beside(path: Path, info: ValidationInfo) -> Path:
    """A relative path starts at the config file, wherever the daemon was started."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path.expanduser()


TopicLevel = Annotated[str, AfterValidator(checked_level)]
SourceUrl = Annotated[str, Field(min_length=1), AfterValidator(_source_url)]
BrokerUrl = Annotated[str, AfterValidator(_broker_url)]
Channel = Annotated[int | Literal["mix"], BeforeValidator(_channel)]
Age = Annotated[float, BeforeValidator(_age), Field(gt=0.0, description="seconds")]
Size = Annotated[int, BeforeValidator(_size), Field(ge=100_000, description="bytes")]
FilePath = Annotated[Path, AfterValidator(_beside)]
