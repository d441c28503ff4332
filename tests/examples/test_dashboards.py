"""How every dashboard for Grafana is laid out; what its queries answer is tested beside what they ask."""

import json
from itertools import combinations
from pathlib import Path

import pytest

DASHBOARDS = sorted((Path(__file__).parents[2] / "examples" / "grafana").glob("*.json"))


def test_there_are_some() -> None:
    assert [path.stem for path in DASHBOARDS] == ["earwitness", "fleet"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_ids_of_their_own_say_what_they_show_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    assert all(panel["title"] and panel["description"] for panel in panels if panel["type"] != "row")
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
