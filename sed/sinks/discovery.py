"""What Home Assistant has to be told to know this node as a device, with an entity for each thing it tells.

The format is Home Assistant's MQTT device discovery (2024.12 and later): one retained document a device. A component
goes away when it is announced with nothing but its platform, all of them when the document is empty.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sed.metadata import Rule
from sed.sinks.topics import Topics

STATUS_TOPIC = "homeassistant/status"
"""Where Home Assistant says `online` when it has started."""
LEVEL_EXPIRES_SECONDS = 60
LONGEST_COOLDOWN_SECONDS = 86_400.0  # as in a rule
STATES = ["hearing", "silent", "lost", "stopped"]

_VERSION = version("earwitness")
_LEGAL = r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*"
_MAX_DOCUMENT = 1_000_000  # bytes

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Announced:
    """One source: the labels that get a binary sensor, and the configured rules, which commands can change."""

    source: str
    labels: Sequence[str]
    rules: Mapping[str, Rule]


def device_id(prefix: str, node: str) -> str:
    """The device's name among all devices, with characters that are legal everywhere."""
    return _joined(prefix, node)


def config_topic(discovery_prefix: str, device: str) -> str:
    """Where the document goes."""
    return f"{discovery_prefix}/device/{device}/config"


def document(topics: Topics, device: str, node: str, sources: Iterable[Announced]) -> dict[str, Any]:
    """The whole device, for `config_topic`."""
    components: dict[str, Component] = {}
    for each in sources:
        components |= _components(topics, each)
    for key, component in components.items():
        component["unique_id"] = f"{device}__{key}"
        component["qos"] = 1
    return {
        "device": {
            "identifiers": [device],
            "name": node,
            "manufacturer": "earwitness",
            "model": "sound event detector",
            "sw_version": _VERSION,
        },
        "origin": {"name": "earwitness", "sw_version": _VERSION},
        "availability": [{"topic": topics.availability}],
        "components": components,
    }


def farewells(old: bytes, current: Mapping[str, Any]) -> dict[str, Component]:
    """For `current`'s components: those announced in an old document that are there no more, each to be taken away."""
    try:
        components = json.loads(old)["components"] if len(old) <= _MAX_DOCUMENT else {}
        gone = {key: each["platform"] for key, each in components.items() if key not in current and len(each) > 1}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # not written by us
        return {}
    return {key: {"platform": platform} for key, platform in gone.items() if isinstance(platform, str)}


def _components(topics: Topics, each: Announced) -> dict[str, Component]:
    source = each.source
    components = {
        _joined(source, "event"): _event(topics, source, list(each.rules)),
        _joined(source, "level"): _level(topics, source),
        _joined(source, "state"): _state(topics, source),
    }
    for label in each.labels:
        components[_joined(source, label, "sound")] = _sound(topics, source, label)
    for label, rule in each.rules.items():
        components[_joined(source, label, "enable")] = _enable(topics, source, label, rule)
        components[_joined(source, label, "threshold")] = _threshold(topics, source, label, rule)
        components[_joined(source, label, "cooldown")] = _cooldown(topics, source, label, rule)
    return components


def _sound(topics: Topics, source: str, label: str) -> Component:
    return {
        "platform": "binary_sensor",
        "name": _spoken(source, label),
        "device_class": "sound",
        "state_topic": topics.label(source, label),
        "payload_on": "ON",
        "payload_off": "OFF",
        **_while_heard(topics, source),
    }


def _event(topics: Topics, source: str, labels: list[str]) -> Component:
    """One trigger a sound: `end` is left out, the binary sensor tells it."""
    return {
        "platform": "event",
        "name": _spoken(source, "event"),
        "state_topic": topics.event(source),
        "event_types": labels,
        "value_template": "{{ value if value_json.phase == 'start' else '' }}",
        "icon": "mdi:ear-hearing",
    }


def _level(topics: Topics, source: str) -> Component:
    """Without a device class: `sound_pressure` takes dB and dBA, and dBFS is neither."""
    return {
        "platform": "sensor",
        "name": _spoken(source, "level"),
        "state_topic": topics.level(source),
        "unit_of_measurement": "dBFS",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "expire_after": LEVEL_EXPIRES_SECONDS,
        "entity_category": "diagnostic",
        "icon": "mdi:volume-medium",
    }


def _state(topics: Topics, source: str) -> Component:
    return {
        "platform": "sensor",
        "name": _spoken(source, "state"),
        "device_class": "enum",
        "options": STATES,
        "state_topic": topics.state(source),
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topics.state(source),
        "entity_category": "diagnostic",
        "icon": "mdi:microphone",
    }


def _enable(topics: Topics, source: str, label: str, rule: Rule) -> Component:
    """A switch; for a label that the configuration does not tell of, the user has to enable it in Home Assistant."""
    return {
        "platform": "switch",
        "name": _spoken(source, label, "alerts"),
        "command_topic": topics.command(source),
        "payload_on": _command(label, enable=True),
        "payload_off": _command(label, enable=False),
        "state_topic": topics.state(source),
        "value_template": _ordered(label, "enable", rule.alert),
        "state_on": "True",
        "state_off": "False",
        "entity_category": "config",
        "enabled_by_default": rule.alert,
        "icon": "mdi:bell",
    }


def _threshold(topics: Topics, source: str, label: str, rule: Rule) -> Component:
    number = _number(topics, source, label, rule, "threshold", rule.on)
    return {**number, "max": 1.0, "step": 0.01, "mode": "slider", "icon": "mdi:tune"}


def _cooldown(topics: Topics, source: str, label: str, rule: Rule) -> Component:
    number = _number(topics, source, label, rule, "cooldown", rule.cooldown)
    longest = {"max": LONGEST_COOLDOWN_SECONDS, "step": 0.1, "unit_of_measurement": "s"}
    return {**number, **longest, "mode": "box", "icon": "mdi:timer-sand"}


def _number(topics: Topics, source: str, label: str, rule: Rule, key: str, configured: float) -> Component:
    """Something from 0 on that can be ordered."""
    return {
        "platform": "number",
        "name": _spoken(source, label, key),
        "command_topic": topics.command(source),
        "command_template": f"{{{{ {{'label': {_quoted(label)}, '{key}': value}} | to_json }}}}",
        "state_topic": topics.state(source),
        "value_template": _ordered(label, key, configured),
        "min": 0.0,
        "entity_category": "config",
        "enabled_by_default": rule.alert,
    }


def _while_heard(topics: Topics, source: str) -> Component:
    """Available while the node is there and the source has sound: what is not heard is neither ON nor OFF."""
    heard = "{{ 'online' if value_json.state in ('hearing', 'silent') else 'offline' }}"
    return {
        "availability": [
            {"topic": topics.availability},
            {"topic": topics.state(source), "value_template": heard},
        ],
        "availability_mode": "all",
    }


def _ordered(label: str, key: str, configured: bool | float) -> str:
    """What holds: an order in `state`, else the configuration."""
    return f"{{{{ value_json.get('orders', {{}}).get({_quoted(label)}, {{}}).get('{key}', {configured!r}) }}}}"


def _command(label: str, **terms: bool) -> str:
    return json.dumps({"label": label, **terms}, ensure_ascii=False)


def _quoted(text: str) -> str:
    """A string as it is written in a Jinja template, which reads JSON's escapes but for surrogate pairs."""
    return json.dumps(text, ensure_ascii=False)


def _spoken(*words: str) -> str:
    return " ".join(words).replace("_", " ")


def _joined(*parts: str) -> str:
    """An id of letters, digits, - and _ that tells any two lists of names apart."""
    return "__".join(_legal(part) for part in parts)


def _legal(name: str) -> str:
    if re.fullmatch(_LEGAL, name):
        return name
    digest = hashlib.blake2s(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return "_".join([*re.findall(r"[A-Za-z0-9]+", name), digest])
