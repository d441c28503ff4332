"""What can be set: one TOML file, checked at start. An error names the file, the key, the rule and the value."""

import os
import re
import socket
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, model_validator

from sed.complaints import complaints, nearest
from sed.errors import ConfigError
from sed.metadata import Metadata, Rule, Score, Seconds, Settings
from sed.shipped import DEFAULT_MODEL
from sed.toml import read_toml
from sed.values import PASSWORD_VARIABLE, Age, BrokerUrl, Channel, FilePath, Size, SourceUrl, TopicLevel


def load(path: Path) -> "Config":
    """The configuration in a file. Raises ConfigError with one line for each thing that is wrong."""
    return _validated(read_toml(path), path)


def overridden(
    config: "Config",
    model: str | None = None,
    rules: Sequence[str] = (),
    mqtt_url: str | None = None,
    node: str | None = None,
) -> "Config":
    """The configuration with what the command line says; a rule is `LABEL.KEY=VALUE`."""
    changes: dict[str, Any] = {"rules": {}}
    changes |= {key: value for key, value in (("model", model), ("node", node)) if value is not None}
    if mqtt_url is not None:
        changes["mqtt"] = {"url": mqtt_url}
    for rule in rules:
        label, key, value = _assignment(rule)
        changes["rules"].setdefault(label, {})[key] = value
    before = config.model_dump(exclude_unset=True)
    return _validated(_over(before, changes), config.file, "command line")


def merged_rules(config: "Config", metadata: Metadata) -> dict[str, Rule]:
    """The model's rules with the configuration's changes. Raises ConfigError, one line for each label that is wrong."""
    rules, wrong = dict(metadata.rules), []
    for label, change in config.rules.items():
        if label not in rules:
            wrong.append(f"rules.{label}: no such label in {metadata.name}, {nearest(label, metadata.labels)}")
            continue
        try:
            rules[label] = Rule.model_validate({**dict(rules[label]), **change.model_dump(exclude_unset=True)})
        except ValidationError as error:
            wrong += [f"rules.{label}: {line}{_origin(line, change)}" for line in complaints(error, Rule)]
    if wrong:
        raise ConfigError("\n".join(f"{config.file}: {line}" if config.file else line for line in wrong))
    return rules


class SourceConfig(Settings):
    """Something to listen to."""

    name: TopicLevel = "mic"
    url: SourceUrl = "mic:"
    channel: Channel = 0
    gain_db: float = Field(0.0, ge=-60.0, le=60.0)
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _beside(self, info: ValidationInfo) -> Self:
        self._folder = (info.context or {}).get("folder", Path())
        return self

    @property
    def kind(self) -> str:
        """What the URL begins with, `mic` or `file`; `-` for standard input."""
        return self.url.partition(":")[0]

    @property
    def rest(self) -> str:
        """What follows in the URL: a device's name, or nothing for the default one."""
        return self.url.partition(":")[2]

    @property
    def path(self) -> Path:
        """What to read; a relative path starts at the config file, wherever the daemon was started."""
        return Path("-") if self.kind == "-" else self._folder / Path(self.rest).expanduser()


class RuleChange(Settings):
    """What of a label's rule shall not be as the model says."""

    on: Score | None = None
    off: Score | None = None
    min_duration: Seconds | None = None
    max_gap: Seconds | None = None
    max_rise: Seconds | None = None
    cooldown: Seconds | None = None
    median: int | None = Field(None, ge=1, le=999)
    alert: bool | None = None


class MqttConfig(Settings):
    """The broker to tell. No secret is part of `repr` or of an error."""

    url: BrokerUrl
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    prefix: TopicLevel = "earwitness"
    protocol: Literal["5", "3.1.1"] = "5"
    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    client_id: str | None = Field(None, min_length=1, max_length=128)
    keep_alive: int = Field(30, ge=5, le=3_600, description="seconds")
    discovery: bool = True
    discovery_prefix: TopicLevel = "homeassistant"
    max_age: Age = 7 * 86_400.0
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _together(self, info: ValidationInfo) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file exclude each other")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("ca_file and cert_file are for mqtts:// URLs")
        self._folder = (info.context or {}).get("folder", Path())
        return self

    @property
    def host(self) -> str:
        """The broker's name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The broker's port."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def user(self) -> str | None:
        """The user's name, from its own key or from the URL."""
        return self.username or unquote(urlsplit(self.url).username or "") or None

    def secret(self) -> str | None:
        """The password: from the environment, else a file, else the configuration. Raises ConfigError."""
        if PASSWORD_VARIABLE in os.environ:
            return os.environ[PASSWORD_VARIABLE]
        if self.password_file is not None:
            path = self._secret_path(self.password_file)
            try:
                return path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = (getattr(error, "strerror", None) or "not UTF-8 text").lower()
                raise ConfigError(f"mqtt.password_file: {path}: {reason}; make it readable for this user") from error
        return self.password.get_secret_value() if self.password is not None else None

    def _secret_path(self, path: Path) -> Path:
        """A bare name is one of systemd's credentials where there are any."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and len(path.parts) == 1:
            return Path(credentials) / path
        return self._folder / path.expanduser()


def default_journal() -> Path:
    """Where systemd, else the XDG specification, wants a program's state."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / "journal.db"
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "earwitness" / "journal.db"


class JournalConfig(Settings):
    """What is remembered, and for how long."""

    path: FilePath = Field(default_factory=default_journal)
    max_age: Age = 30 * 86_400.0
    max_size: Size = 500_000_000


def default_node() -> str:
    """The computer's name, as a level of a topic."""
    name = socket.gethostname().split(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "earwitness"


class Config(Settings):
    """Everything that can be set; without a file it listens to the default microphone and tells no broker."""

    node: TopicLevel = Field(default_factory=default_node)
    model: str = Field(DEFAULT_MODEL, min_length=1)
    source: tuple[SourceConfig, ...] = (SourceConfig(),)
    rules: dict[str, RuleChange] = Field(default_factory=dict)
    mqtt: MqttConfig | None = None
    journal: JournalConfig = Field(default_factory=JournalConfig)
    _file: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [source.name for source in self.source]
        if not names:
            raise ValueError("source: should have at least one [[source]], got none")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"source: should each have a name of its own, got {twice!r} twice")
        if [source.kind for source in self.source].count("-") > 1:
            raise ValueError("source: should be one at most that reads standard input")
        return self

    @property
    def file(self) -> Path | None:
        """Where it came from."""
        return self._file


def _validated(document: Mapping[str, Any], file: Path | None, where: str = "") -> Config:
    context = {"folder": file.absolute().parent} if file else {}
    try:
        config = Config.model_validate(document, context=context)
        if config.mqtt is not None:
            config.mqtt.secret()  # a password that cannot be read is better known now
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where or file}: {line}" for line in complaints(error, Config))) from error
    except ConfigError as error:
        raise ConfigError(f"{where or file}: {error}") from error
    config._file = file
    return config


def _assignment(text: str) -> tuple[str, str, Any]:
    """`siren.on=0.7` taken apart."""
    match = re.fullmatch(r"([^.=]+)\.([^.=]+)=(.+)", text)
    try:
        if match is None:
            raise ValueError
        return match[1], match[2], tomllib.loads(f"value = {match[3]}")["value"]
    except ValueError as error:
        raise ConfigError(f"command line: {text}: should be LABEL.KEY=VALUE, as siren.on=0.7") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merged, key by key."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _over(merged.get(key) or {}, value) if isinstance(value, Mapping) else value
    return merged


def _origin(line: str, change: RuleChange) -> str:
    """Says which of two contradicting scores came with the model."""
    models = [key for key in ("on", "off") if f"{key}=" in line and getattr(change, key) is None]
    return f" ({models[0]} is the model's)" if models else ""
