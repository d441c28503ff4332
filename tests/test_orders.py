"""What is ordered over `set`: which rules hold, what is kept, when the configuration wins again."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import SinkError, UsageError
from sed.metadata import Rule
from sed.orders import MAX_BYTES, Orders

RULES = {
    "siren": Rule(on=0.8, off=0.4, cooldown=5.0, min_duration=0.3),
    "glass_break": Rule(on=0.6, off=0.3),
    "dog_bark": Rule(alert=False),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.orders.json"


@pytest.fixture
def orders(path: Path) -> Orders:
    return Orders(path, RULES, ["yard", "hall"])


def order(orders: Orders, source: str = "yard", **command: object) -> None:
    orders.take(source, json.dumps(command).encode())


def test_an_order_changes_one_label_of_one_source(orders: Orders) -> None:
    before = orders.changes
    order(orders, label="siren", enable=False, threshold=0.4, cooldown=30)
    assert orders.changes == before + 1
    assert orders.rules("hall") == RULES
    changed = orders.rules("yard")
    assert changed.pop("siren") == Rule(alert=False, on=0.4, off=0.2, cooldown=30.0, min_duration=0.3)
    assert changed == {label: RULES[label] for label in ("glass_break", "dog_bark")}
    assert orders.differing("yard") == {"siren": {"enable": False, "threshold": 0.4, "cooldown": 30.0}}


def test_orders_add_up_and_reset_forgets_them(orders: Orders) -> None:
    order(orders, label="siren", threshold=0.6)
    order(orders, label="siren", cooldown=30)
    assert orders.differing("yard") == {"siren": {"threshold": 0.6, "cooldown": 30.0}}
    order(orders, label="siren", reset=True, enable=False)
    assert orders.differing("yard") == {"siren": {"enable": False}}
    order(orders, label="siren", reset=True)
    assert orders.differing("yard") == {}
    assert orders.rules("yard") == RULES


def test_what_the_configuration_says_anyway_is_no_order(orders: Orders) -> None:
    before = orders.changes
    order(orders, label="siren", threshold=0.8, enable=True)
    assert (orders.differing("yard"), orders.changes) == ({}, before)
    order(orders, label="siren", threshold=0.7)
    order(orders, label="siren", threshold=0.8)
    assert orders.differing("yard") == {}


def test_every_label_means_those_that_alert_or_have_an_order(orders: Orders) -> None:
    order(orders, label="*", enable=False)
    assert orders.differing("yard") == {"siren": {"enable": False}, "glass_break": {"enable": False}}
    order(orders, label="*", enable=True)
    assert orders.differing("yard") == {}
    order(orders, label="dog_bark", enable=True)
    order(orders, label="*", reset=True)
    assert orders.differing("yard") == {}


def test_orders_outlive_a_restart_once_they_are_saved(orders: Orders, path: Path) -> None:
    order(orders, label="siren", threshold=0.6, enable=False)
    assert Orders(path, RULES, ["yard"]).differing("yard") == {}
    orders.save()
    again = Orders(path, RULES, ["yard"])
    assert again.rules("yard") == orders.rules("yard") != RULES
    order(again, label="*", reset=True)
    again.save()
    assert Orders(path, RULES, ["yard"]).rules("yard") == RULES


def test_a_configuration_that_is_changed_later_wins_about_what_it_changes(
    orders: Orders, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    order(orders, label="siren", threshold=0.6, enable=False)
    orders.save()
    edited = {**RULES, "siren": Rule(on=0.9, off=0.4, cooldown=5.0, min_duration=0.1)}
    for after in (Orders(path, edited, ["yard"]), orders):
        after.rebase(edited)
        assert after.differing("yard") == {"siren": {"enable": False}}
        assert after.rules("yard")["siren"] == edited["siren"].model_copy(update={"alert": False})
    line = "yard, siren: threshold = 0.6 is over: the configuration or the model says 0.9 now, no longer 0.8"
    assert line in caplog.text


def test_an_order_for_a_label_that_the_model_does_not_know_waits(orders: Orders, path: Path) -> None:
    order(orders, label="siren", threshold=0.6)
    orders.save()
    without = {label: rule for label, rule in RULES.items() if label != "siren"}
    other = Orders(path, without, ["yard"])
    assert (other.differing("yard"), other.rules("yard")) == ({}, without)
    order(other, label="glass_break", enable=False)
    other.save()
    assert Orders(path, RULES, ["yard"]).differing("yard") == {
        "siren": {"threshold": 0.6},
        "glass_break": {"enable": False},
    }


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (b"", 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b"ON", 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b"[]", 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b"\xff\xfe\x00", 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b'{"a":' * 199, 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b"[" * MAX_BYTES, 'a command is JSON such as {"label": "siren", "enable": false}'),
        (b"[" * (MAX_BYTES + 1), "a command has at most 1000 bytes, got 1001"),
        (b"{}", "label: missing"),
        (b'{"label": 1, "enable": true}', "label: should be a valid string, got 1"),
        (b'{"label": "siren"}', "nothing to do; give enable, threshold, cooldown or reset besides the label"),
        (b'{"label": "sirene", "enable": true}', "label: no such label 'sirene', did you mean 'siren'?"),
        (b'{"label": "siren", "enable": 1}', "enable: should be a valid boolean, got 1"),
        (b'{"label": "siren", "threshold": "0.8"}', "threshold: should be a valid number, got '0.8'"),
        (b'{"label": "siren", "threshold": true}', "threshold: should be a valid number, got True"),
        (b'{"label": "siren", "threshold": 1.5}', "threshold: should be less than or equal to 1, got 1.5"),
        (b'{"label": "siren", "threshold": NaN}', "threshold: should be a finite number, got nan"),
        (b'{"label": "siren", "cooldown": 1e999}', "cooldown: should be a finite number, got inf"),
        (b'{"label": "siren", "cooldown": -1}', "cooldown: should be greater than or equal to 0, got -1"),
        (b'{"label": "siren", "thresold": 1}', "thresold: no such key, did you mean 'threshold'?"),
        (b'{"label": "siren", "a\\nb": 1}', "a\\nb: no such key, known: cooldown, enable, label, reset, threshold"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_in_one_line(orders: Orders, payload: bytes, line: str) -> None:
    before = orders.changes
    with pytest.raises(UsageError) as caught:
        orders.take("yard", payload)
    assert str(caught.value) == line
    assert (orders.changes, orders.rules("yard")) == (before, RULES)


def test_a_source_that_is_not_there(orders: Orders) -> None:
    with pytest.raises(UsageError, match="yrad: no such source, did you mean 'yard'"):
        order(orders, "yrad", label="siren", enable=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(["label", "enable", "threshold", "cooldown", "reset", "x"])
LABELS = st.sampled_from(["siren", "*", "dog_bark", "nothing"])
NEAR = st.dictionaries(KEYS, LABELS | st.floats() | st.booleans() | st.none() | JSON)
PAYLOADS = st.binary(max_size=1_200) | (JSON | NEAR).map(lambda value: json.dumps(value).encode())


@given(payloads=st.lists(PAYLOADS, max_size=8))
def test_whatever_comes_the_rules_stay_rules(payloads: list[bytes]) -> None:
    orders = Orders(Path("/nonexistent/orders"), RULES, ["yard"])
    for payload in payloads:
        line = ""
        try:
            orders.take("yard", payload)
        except UsageError as error:
            line = str(error)
        assert len(line) <= 203
        assert line.isprintable()
        for label, rule in orders.rules("yard").items():
            assert Rule.model_validate(dict(rule)) == rule
            assert (rule.alert, rule.on, rule.cooldown) == tuple(
                orders.differing("yard").get(label, {}).get(key, said)
                for key, said in (
                    ("enable", RULES[label].alert),
                    ("threshold", RULES[label].on),
                    ("cooldown", RULES[label].cooldown),
                )
            )


@pytest.mark.parametrize("content", ["rubbish", "[]", '{"yard": {"siren": {"ordered": {"threshold": "high"}}}}'])
def test_a_file_that_is_not_ours_is_told_and_done_without(
    path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(content)
    assert Orders(path, RULES, ["yard"]).rules("yard") == RULES
    assert caplog.messages == [f"orders {path}: not what earwitness wrote; what was set over MQTT is forgotten"]


def test_a_disk_that_takes_nothing_is_told_and_tried_again(orders: Orders, path: Path) -> None:
    order(orders, label="siren", enable=False)
    fresh = path.with_name(f"{path.name}.new")
    fresh.mkdir()
    with pytest.raises(SinkError, match=r"orders .*: is a directory; what is set now is lost at the next restart"):
        orders.save()
    fresh.rmdir()
    orders.save()
    assert Orders(path, RULES, ["yard"]).differing("yard") == {"siren": {"enable": False}}
