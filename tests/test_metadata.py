"""What a model says of itself is checked at birth, and the message gives field, rule and value."""

from typing import Any

import pytest
from pydantic import ValidationError

from sed.metadata import Heard, Metadata, Rule
from tests.toy import metadata


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"on": 0.5, "off": 0.8}, "need 0 <= off <= on <= 1, got off=0.8, on=0.5"),
        ({"on": 1.5}, "less than or equal to 1"),
        ({"on": float("nan")}, "finite number"),
        ({"min_duration": -0.1}, "greater than or equal to 0"),
        ({"median": 4}, "need an odd number of rows, got median=4"),
        ({"of": 0.3}, "Extra inputs are not permitted"),
    ],
)
def test_rules(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Rule.model_validate(given)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": ("tone", "tone")}, "labels are not unique: tone, tone"),
        ({"labels": ("dog",)}, r"rules for \['tone'\], labels are \['dog'\]"),
        ({"labels": ()}, "at least 1 item"),
        ({"heard": {"mean": [0.0] * 64, "spread": [0.0] * 64}}, "greater than 0"),
        (
            {"heard": {"mean": [0.0] * 64, "spread": [1.0] * 63}},
            "heard: need mean and spread of 64 mel bands, got 64 and 63",
        ),
    ],
)
def test_documents(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Metadata.model_validate(metadata().model_dump() | changed)


def test_times_follow_from_the_frontend() -> None:
    meta = metadata(look_ahead=3)
    assert meta.hop == 4 * 160
    assert meta.period == 0.04
    assert meta.ahead == 3 * 640 + 512 - 160
    assert (meta.lead + meta.ahead) % meta.hop == 0
    assert 0 <= meta.lead < meta.hop


def test_it_survives_json() -> None:
    heard = Heard(mean=(-40.123,) * 64, spread=(25.0,) * 64)
    full = metadata().model_copy(update={"heard": heard})
    assert Metadata.model_validate_json(full.model_dump_json()) == full
    assert Metadata.model_validate_json(metadata().model_dump_json()) == metadata()
