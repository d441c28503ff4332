"""One TOML file, checked at start. An error names the file, the key, the rule and the value."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sed.complaints import complaints, nearest, printable
from sed.config.rules import RuleChange
from sed.config.whole import Config
from sed.errors import ConfigError
from sed.metadata import Metadata, Rule
from sed.toml import read_toml


def load(path: Path) -> Config:
    """The configuration in a file. Raises ConfigError with one line for each thing that is wrong."""
    return _validated(read_toml(path), path)


def overridden(
    config: Config,
    model: str | None = None,
    rules: Sequence[str] = (),
    mqtt_url: str | None = None,
    node: str | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """The configuration with what the command line says; a rule is `LABEL.KEY=VALUE`, `tables` are as in a file."""
    changes: dict[str, Any] = {**(tables or {}), "rules": {}}
    changes |= {key: value for key, value in (("model", model), ("node", node)) if value is not None}
    if mqtt_url is not None:
        changes["mqtt"] = {"url": mqtt_url}
    for rule in rules:
        label, key, value = _assignment(rule)
        changes["rules"].setdefault(label, {})[key] = value
    before = config.model_dump(exclude_unset=True)
    return _validated(_over(before, changes), config.file, "command line")


def merged_rules(config: Config, metadata: Metadata) -> dict[str, Rule]:
    """The model's rules with the configuration's changes. Raises ConfigError, one line for each label that is wrong."""
    rules, wrong = dict(metadata.rules), []
    for label, change in config.rules.items():
        if label not in rules:
            near = nearest(label, metadata.labels)
            wrong.append(f"rules.{printable(label)}: no such label in {metadata.name}, {near}")
            continue
        try:
            rules[label] = Rule.model_validate({**dict(rules[label]), **change.model_dump(exclude_unset=True)})
        except ValidationError as error:
            wrong += [f"rules.{printable(label)}: {line}{_origin(line, change)}" for line in complaints(error, Rule)]
    if wrong:
        raise ConfigError("\n".join(f"{config.file}: {line}" if config.file else line for line in wrong))
    return rules


def _validated(document: Mapping[str, Any], file: Path | None, where: str = "") -> Config:
    context = {"folder": file.absolute().parent} if file else {}
    try:
        config = Config.model_validate(document, context=context)
        if config.mqtt is not None:
            config.mqtt.secret()  # a password that cannot be read is better known now
        for source in config.source:
            source.address()
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
        raise ConfigError(f"command line: {printable(text)}: should be LABEL.KEY=VALUE, as siren.on=0.7") from error


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
