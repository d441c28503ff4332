"""What Home Assistant's MQTT integration (2024.12 to 2025.4) accepts as a device, as a JSON Schema of our own.

Derived from its schemas.py, sensor.py, binary_sensor.py, event.py, switch.py and number.py. Home Assistant drops keys
that it does not know without a word; here they are errors.
"""

import json
from typing import Any

import jinja2
import jsonschema

TEXT = {"type": "string"}
TOPIC = {"type": "string", "minLength": 1, "maxLength": 65_535, "pattern": r"^[^+#\x00-\x1f\x7f-\x9f]+$"}
ICON = {"type": "string", "pattern": "^mdi:[a-z-]+$"}
QOS = {"enum": [0, 1, 2]}
AVAILABILITY = {
    "availability": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["topic"],
            "properties": {
                "topic": TOPIC,
                "payload_available": TEXT,
                "payload_not_available": TEXT,
                "value_template": TEXT,
            },
            "additionalProperties": False,
        },
    },
    "availability_mode": {"enum": ["all", "any", "latest"]},
}
ENTITY = {
    **AVAILABILITY,
    "unique_id": {"type": "string", "minLength": 1},
    "name": {"type": ["string", "null"]},
    "enabled_by_default": {"type": "boolean"},
    "entity_category": {"enum": ["config", "diagnostic"]},
    "icon": ICON,
    "json_attributes_topic": TOPIC,
    "json_attributes_template": TEXT,
    "qos": QOS,
    "state_topic": TOPIC,
    "value_template": TEXT,
}
READ_ONLY = ["platform", "unique_id", "state_topic"]
CONTROLLED = {**ENTITY, "command_topic": TOPIC, "command_template": TEXT, "optimistic": {"type": "boolean"}}


def _platform(name: str, required: list[str], properties: dict[str, Any], **rules: Any) -> dict[str, Any]:
    everything = {"platform": {"const": name}, **properties}
    return {"required": required, "properties": everything, "additionalProperties": False, **rules}


PLATFORMS = {
    "binary_sensor": _platform(
        "binary_sensor",
        READ_ONLY,
        {
            **ENTITY,
            "device_class": {"enum": ["sound", "problem", "connectivity", "running", None]},
            "payload_on": TEXT,
            "payload_off": TEXT,
            "off_delay": {"type": "integer", "minimum": 1},
            "expire_after": {"type": "integer", "minimum": 0},
        },
    ),
    "event": _platform(
        "event",
        [*READ_ONLY, "event_types"],
        {
            **ENTITY,
            "event_types": {"type": "array", "items": TEXT, "uniqueItems": True},
            "device_class": {"enum": ["button", "doorbell", "motion"]},
        },
    ),
    "sensor": _platform(
        "sensor",
        READ_ONLY,
        {
            **ENTITY,
            "entity_category": {"const": "diagnostic"},  # a sensor cannot be "config"
            "device_class": {"enum": ["enum", "sound_pressure", None]},
            "options": {"type": "array", "minItems": 1, "items": TEXT, "uniqueItems": True},
            "state_class": {"const": "measurement"},
            "unit_of_measurement": TEXT,
            "suggested_display_precision": {"type": "integer", "minimum": 0},
            "expire_after": {"type": "integer", "minimum": 0},
        },
        allOf=[
            {  # options are for enums, and an enum has neither unit nor state class
                "if": {"required": ["options"]},
                "then": {
                    "required": ["device_class"],
                    "properties": {
                        "device_class": {"const": "enum"},
                        "state_class": False,
                        "unit_of_measurement": False,
                    },
                },
            },
            {
                "if": {"required": ["device_class"], "properties": {"device_class": {"const": "sound_pressure"}}},
                "then": {"properties": {"unit_of_measurement": {"enum": ["dB", "dBA"]}}},
            },
        ],
    ),
    "switch": _platform(
        "switch",
        ["platform", "unique_id", "command_topic"],
        {**CONTROLLED, "payload_on": TEXT, "payload_off": TEXT, "state_on": TEXT, "state_off": TEXT},
    ),
    "number": _platform(
        "number",
        ["platform", "unique_id", "command_topic"],
        {
            **CONTROLLED,
            "min": {"type": "number"},
            "max": {"type": "number"},
            "step": {"type": "number", "minimum": 0.001},
            "mode": {"enum": ["auto", "box", "slider"]},
            "unit_of_measurement": TEXT,
        },
    ),
}
GONE = {
    "type": "object",
    "required": ["platform"],
    "properties": {"platform": {"enum": sorted(PLATFORMS)}},
    "additionalProperties": False,
}
DEVICE = {
    "type": "object",
    "required": ["device", "origin", "components"],
    "properties": {
        **AVAILABILITY,
        "device": {
            "type": "object",
            "required": ["identifiers", "name"],
            "properties": {
                "identifiers": {"type": "array", "minItems": 1, "items": TEXT},
                **dict.fromkeys(["name", "manufacturer", "model", "sw_version", "hw_version", "serial_number"], TEXT),
            },
            "additionalProperties": False,
        },
        "origin": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": TEXT, "sw_version": TEXT, "support_url": TEXT},
            "additionalProperties": False,
        },
        "components": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-zA-Z0-9_-]+$"},
            "additionalProperties": {"oneOf": [*PLATFORMS.values(), GONE]},
        },
    },
    "additionalProperties": False,
}
TOPIC_PATTERN = r"homeassistant/device/[a-zA-Z0-9_-]+/config"

_JINJA = jinja2.Environment(autoescape=False)  # noqa: S701 - no HTML
_JINJA.filters["to_json"] = json.dumps
_VALIDATOR = jsonschema.Draft202012Validator(DEVICE)


def accepted(payload: str) -> dict[str, Any]:
    """The components of a discovery document that Home Assistant would take; fails if it would not."""
    document = json.loads(payload)
    _VALIDATOR.validate(document)
    components: dict[str, Any] = document["components"]
    unique = [each["unique_id"] for each in components.values() if "unique_id" in each]
    assert len(set(unique)) == len(unique)
    for each in components.values():
        for key in each.keys() & {"value_template", "command_template"}:
            _JINJA.parse(each[key])
    return components


def value(template: str, payload: str) -> str:
    """What Home Assistant makes of a payload with a `value_template`."""
    return _JINJA.from_string(template).render(value=payload, value_json=json.loads(payload))


def command(template: str, number: float) -> str:
    """What Home Assistant sends for a number with a `command_template`."""
    return _JINJA.from_string(template).render(value=number)
