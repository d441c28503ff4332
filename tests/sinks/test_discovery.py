"""The discovery document: what Home Assistant accepts, whatever the names are, and what its templates make of it."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.metadata import Rule
from sed.sinks.discovery import Announced, config_topic, device_id, document, farewells
from sed.sinks.topics import Topics
from sed.values import checked_level
from tests.messages import message
from tests.sinks.homeassistant import TOPIC_PATTERN, accepted, command, value

RULES = {"siren": Rule(on=0.8, off=0.4), "glass_break": Rule(on=0.6), "dog_bark": Rule(alert=False)}
TOPICS = Topics("earwitness", "gate")
YARD = Announced("yard", ["siren", "glass_break"], RULES)


def components(*sources: Announced) -> dict[str, Any]:
    return accepted(json.dumps(document(TOPICS, device_id("earwitness", "gate"), "gate", sources)))


def is_level(name: str) -> bool:
    try:
        return bool(checked_level(name))
    except ValueError:
        return False


LEVELS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(is_level)
LABELS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def test_one_source_with_two_alerting_labels_of_three() -> None:
    found = components(YARD)
    assert {key: each["platform"] for key, each in found.items()} == {
        "yard__event": "event",
        "yard__level": "sensor",
        "yard__state": "sensor",
        "yard__siren__sound": "binary_sensor",
        "yard__glass_break__sound": "binary_sensor",
        **{f"yard__{label}__enable": "switch" for label in RULES},
        **{f"yard__{label}__threshold": "number" for label in RULES},
        **{f"yard__{label}__cooldown": "number" for label in RULES},
    }
    siren = found["yard__siren__sound"]
    assert (siren["state_topic"], siren["device_class"]) == ("earwitness/gate/yard/siren", "sound")
    assert (siren["payload_on"], siren["payload_off"]) == ("ON", "OFF")
    assert siren["unique_id"] == "earwitness__gate__yard__siren__sound"
    assert found["yard__event"]["event_types"] == ["siren", "glass_break", "dog_bark"]
    shown = [found[f"yard__{label}__enable"]["enabled_by_default"] for label in RULES]
    assert shown == [True, True, False]


def test_the_level_is_no_sound_pressure() -> None:
    level = components(YARD)["yard__level"]
    assert (level["unit_of_measurement"], level.get("device_class")) == ("dBFS", None)


def test_every_label_is_available_while_its_source_hears() -> None:
    node, source = components(YARD)["yard__siren__sound"]["availability"]
    assert node == {"topic": "earwitness/gate/availability"}
    assert source["topic"] == "earwitness/gate/yard/state"
    said = {state: value(source["value_template"], json.dumps({"state": state})) for state in ("hearing", "lost")}
    assert said == {"hearing": "online", "lost": "offline"}


def test_an_event_triggers_once() -> None:
    template = components(YARD)["yard__event"]["value_template"]
    start, end = json.dumps(message(name="A")), json.dumps(message("end", name="A"))
    assert (value(template, start), value(template, end)) == (start, "")
    assert json.loads(start)["event_type"] in RULES


@given(label=LABELS)
def test_switches_and_numbers_show_what_holds_and_command_it(label: str) -> None:
    rule = Rule(on=0.7, cooldown=5.0, alert=False)
    found = list(components(Announced("yard", [], {label: rule})).values())
    switch, threshold, cooldown = found[-3:]
    ordered = {"enable": True, "threshold": 0.25, "cooldown": 30.0}
    plain = json.dumps({"state": "hearing"})
    assert value(switch["value_template"], plain) == switch["state_off"]
    assert (value(threshold["value_template"], plain), value(cooldown["value_template"], plain)) == ("0.7", "5.0")
    told = json.dumps({"orders": {label: ordered}})
    assert value(switch["value_template"], told) == switch["state_on"]
    assert (value(threshold["value_template"], told), value(cooldown["value_template"], told)) == ("0.25", "30.0")
    assert json.loads(switch["payload_on"]) == {"label": label, "enable": True}
    assert json.loads(switch["payload_off"]) == {"label": label, "enable": False}
    assert json.loads(command(threshold["command_template"], 0.3)) == {"label": label, "threshold": 0.3}
    assert json.loads(command(cooldown["command_template"], 12.5)) == {"label": label, "cooldown": 12.5}


def test_the_longest_cooldown_is_within_what_home_assistant_shows() -> None:
    longest = Rule.model_fields["cooldown"].metadata[1].le
    number = components(Announced("yard", [], {"siren": Rule(cooldown=longest)}))["yard__siren__cooldown"]
    assert (number["min"], number["max"], number["unit_of_measurement"]) == (0.0, longest, "s")


@given(
    prefix=LEVELS,
    node=LEVELS,
    sources=st.lists(LEVELS, unique=True, max_size=3),
    labels=st.lists(LABELS, unique=True, max_size=3),
)
def test_any_names_become_legal_ids_that_differ(prefix: str, node: str, sources: list[str], labels: list[str]) -> None:
    device = device_id(prefix, node)
    assert re.fullmatch(TOPIC_PATTERN, config_topic("homeassistant", device))
    rules = {label: Rule() for label in labels}
    announced = [Announced(source, labels, rules) for source in sources]
    found = accepted(json.dumps(document(Topics(prefix, node), device, node, announced)))
    assert len(found) == len(sources) * (3 + 4 * len(labels))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a_b", "c"), ("a", "b_c")),
        (("a__b", "c"), ("a", "b__c")),
        (("a b", "c"), ("a_b", "c")),
        (("é", "c"), ("è", "c")),
    ],
)
def test_names_that_look_alike_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert device_id(*one) != device_id(*other)
    assert device_id(*one) == device_id(*one)


def test_what_is_there_no_more_is_taken_away() -> None:
    before = json.dumps(document(TOPICS, "d", "gate", [YARD, Announced("hall", ["siren"], RULES)])).encode()
    now = components(Announced("yard", ["siren"], RULES))
    gone = farewells(before, now)
    assert {key for key in gone if key.startswith("yard")} == {"yard__glass_break__sound"}
    assert len([key for key in gone if key.startswith("hall")]) == 3 + 1 + 3 * len(RULES)
    assert gone["yard__glass_break__sound"] == {"platform": "binary_sensor"}
    told = {**document(TOPICS, "d", "gate", []), "components": {**now, **gone}}
    accepted(json.dumps(told))
    assert farewells(json.dumps(told).encode(), now) == {}  # once is enough


RUBBISH = ["", "rubbish", "[]", "null", "[" * 100_000, '{"components": 1}', '{"components": {"a": 1, "b": null}}']
NOT_OURS = ['{"components": {"a": {"platform": ["x"], "name": "n"}}}', '{"components": {"a": {"name": "n", "x": 1}}}']


@pytest.mark.parametrize("old", [b"\xff", *(text.encode() for text in RUBBISH + NOT_OURS)])
def test_an_old_document_that_is_not_ours_takes_nothing_away(old: bytes) -> None:
    assert farewells(old, {}) == {}
