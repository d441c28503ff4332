"""What has been ordered while listening: labels switched on or off, other thresholds and cooldowns, by source.

An order holds, over restarts too, until it is reset or until the configuration (or the model) says something else about
the same thing than it did when the order was given: who edits the configuration later is obeyed.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sed.complaints import complaints, nearest
from sed.errors import SinkError, UsageError
from sed.metadata import Rule, Score, Seconds, Settings

MAX_BYTES = 1_000
"""The longest command."""
EVERY = "*"
"""As a label: all that alert by the configuration, or have an order."""

_LINE = 200  # characters of an error
_LOG = logging.getLogger(__name__)


class Terms(Settings):
    """What can be ordered about a label; None is not ordered."""

    model_config = ConfigDict(strict=True)  # "0.8" is no number

    enable: bool | None = None
    threshold: Score | None = None
    cooldown: Seconds | None = None

    def given(self) -> dict[str, bool | float]:
        """Those that are not None."""
        return self.model_dump(include=set(Terms.model_fields), exclude_none=True)


class Command(Terms):
    """One message on `set`; `reset` forgets earlier orders first."""

    label: str = Field(min_length=1, max_length=200)
    reset: bool = False


class Standing(Settings):
    """What was ordered about a label, and what the configuration said about the same things then."""

    ordered: Terms
    instead_of: Terms


class Orders:
    """The orders that hold now. Any thread may call it; `changes` counts up with every change of the rules."""

    def __init__(self, path: Path, rules: Mapping[str, Rule], sources: Sequence[str]) -> None:
        """`rules` are the configuration's, for the model's labels; what is in the file `path` is taken up."""
        self.path = path
        self.changes = 0
        self._lock = threading.Lock()
        self._rules, self._sources = rules, tuple(sources)
        self._standing = _read(path)
        self._saved = dict(self._standing)
        self.rebase(rules)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label there is."""
        return tuple(self._rules)

    @property
    def base(self) -> Mapping[str, Rule]:
        """The rules without any order."""
        return self._rules

    def rules(self, source: str) -> dict[str, Rule]:
        """The rules for a source: the configuration's, with what is ordered. A new object after every change."""
        differing = self.differing(source)
        return {label: _ordered(rule, differing.get(label, {})) for label, rule in self._rules.items()}

    def differing(self, source: str) -> dict[str, dict[str, bool | float]]:
        """What holds for a source and differs from the configuration, by label: enable, threshold, cooldown."""
        with self._lock:
            standing = self._standing.get(source, {})
            return {label: standing[label].ordered.given() for label in self._rules if label in standing}

    def rebase(self, rules: Mapping[str, Rule]) -> None:
        """The configuration has been read again: what it now says otherwise than before is no longer overridden."""
        with self._lock:
            self._rules = rules
            for source, standing in self._standing.items():
                kept = {label: _still(source, label, held, rules) for label, held in standing.items()}
                self._standing[source] = {label: held for label, held in kept.items() if held.ordered.given()}
            self.changes += 1

    def take(self, source: str, payload: bytes) -> None:
        """Obey a message on `set`, in memory; `save` makes it last. Raises UsageError, in one line."""
        command = _command(payload)
        with self._lock:
            if source not in self._sources:
                raise UsageError(_one_line(f"{source}: no such source, {nearest(source, self._sources)}"))
            before = self._standing.get(source, {})
            after = dict(before)
            for label in self._meant(command.label, before):
                held = _obeyed(command, self._rules[label], before.get(label))
                after.pop(label, None)
                if held.ordered.given():
                    after[label] = held
            if after == before:
                return
            self._standing[source] = after
            self.changes += 1

    def save(self) -> None:
        """Bring what holds onto the disk, if it is not there; for one thread only. Raises SinkError."""
        with self._lock:
            standing = dict(self._standing)
        if standing != self._saved:
            _write(self.path, standing)
            self._saved = standing

    def _meant(self, label: str, standing: Mapping[str, Standing]) -> list[str]:
        if label == EVERY:
            return [name for name, rule in self._rules.items() if rule.alert or name in standing]
        if label not in self._rules:
            raise UsageError(_one_line(f"label: no such label {label!r}, {nearest(label, self._rules)}"))
        return [label]


def _command(payload: bytes) -> Command:
    if len(payload) > MAX_BYTES:
        raise UsageError(f"a command has at most {MAX_BYTES} bytes, got {len(payload)}")
    try:
        command = Command.model_validate_json(payload)
    except ValidationError as error:
        if not error.errors()[0]["loc"]:  # not about a key
            raise UsageError('a command is JSON such as {"label": "siren", "enable": false}') from error
        raise UsageError(_one_line(complaints(error, Command)[0])) from error
    if not command.given() and not command.reset:
        raise UsageError("nothing to do; give enable, threshold, cooldown or reset besides the label")
    return command


def _one_line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LINE else f"{line[:_LINE]}..."


def _terms(rule: Rule) -> dict[str, bool | float]:
    """What a rule says, in an order's words."""
    return {"enable": rule.alert, "threshold": rule.on, "cooldown": rule.cooldown}


def _ordered(rule: Rule, terms: Mapping[str, Any]) -> Rule:
    """The rule as ordered; `off` keeps its ratio to `on`, so that there still is hysteresis."""
    if not terms:
        return rule
    said = {**_terms(rule), **terms}
    off = round(rule.off * said["threshold"] / rule.on, 6) if rule.on > 0.0 else 0.0
    changes = {"alert": said["enable"], "on": said["threshold"], "cooldown": said["cooldown"]}
    return rule.model_copy(update={**changes, "off": min(off, said["threshold"])})


def _obeyed(command: Command, rule: Rule, before: Standing | None) -> Standing:
    """What holds after a command; what it says just as the configuration does is no order."""
    base = _terms(rule)
    earlier = before.ordered.given() if before and not command.reset else {}
    said = {key: value for key, value in {**earlier, **command.given()}.items() if value != base[key]}
    return _standing(said, base)


def _still(source: str, label: str, held: Standing, rules: Mapping[str, Rule]) -> Standing:
    """What is left of an order; one for a label that this model does not know waits for a model that does."""
    if label not in rules:
        return held
    base, then = _terms(rules[label]), held.instead_of.given()
    ordered = held.ordered.given()
    kept = {key: value for key, value in ordered.items() if then.get(key) == base[key] != value}
    for key in ordered.keys() - kept.keys():
        _LOG.info(
            "order for %s, %s: %s = %s is over: the configuration or the model says %s now, no longer %s",
            *(source, label, key, ordered[key], base[key], then.get(key)),
        )
    return _standing(kept, base)


def _standing(ordered: Mapping[str, object], base: Mapping[str, object]) -> Standing:
    then = {key: base[key] for key in ordered}
    return Standing(ordered=Terms.model_validate(ordered), instead_of=Terms.model_validate(then))


_FILE = TypeAdapter(dict[str, dict[str, Standing]])


def _read(path: Path) -> dict[str, dict[str, Standing]]:
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not what earwitness wrote"
        _LOG.error("orders %s: %s; what was set over MQTT is forgotten", path, reason)
        return {}


def _write(path: Path, standing: Mapping[str, Mapping[str, Standing]]) -> None:
    document = {
        source: {label: held.model_dump(exclude_none=True) for label, held in labels.items()}
        for source, labels in standing.items()
        if labels
    }
    fresh = path.with_name(f"{path.name}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(f"orders {path}: {reason}; what is set now is lost at the next restart") from error
