"""Rules are chosen by F1 and the price of false alarms, from scores that are those of the runtime."""

import numpy as np
import pytest

from sed.evaluate.calibrate import Scored, Search, choose, scored, told
from sed.evaluate.measure import listen
from sed.evaluate.reference import Recording, Sound
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.signals import Scores
from tests.toy import bursts, metadata, write_toy

HOP = 640
ONCE = Search(min_durations=(0.04,), max_gaps=(0.2,))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("toy") / "toy.onnx", metadata()))


def rows(*peaks: tuple[int, float], known: tuple[int, ...] = (), count: int = 250) -> Scored:
    """Scores that are 0 but for short peaks at rows, with events known to begin at rows."""
    values = np.zeros((count, 1), np.float32)
    for row, score in peaks:
        values[row : row + 5] = score
    events = tuple(Sound("tone", row * HOP / 16_000, row * HOP / 16_000 + 0.2) for row in known)
    return Scored(Scores(0, HOP, values, 0), events)


SCENES = [rows((50, 0.62), (150, 0.92), known=(50, 150)), rows((100, 0.32), (200, 0.72), known=(200,))]


def test_the_best_threshold_parts_events_from_the_rest(model: OnnxModel) -> None:
    choice = choose(model, "tone", SCENES, [], ONCE)
    assert 0.32 < choice.rule.on < 0.62
    assert choice.counts.f1 == 1.0


def test_false_alarms_elsewhere_raise_it(model: OnnxModel) -> None:
    choice = choose(model, "tone", SCENES, [rows((20, 0.68))], ONCE)
    assert 0.68 < choice.rule.on <= 0.72
    assert choice.alarms_per_hour == 0.0


def test_an_alarm_that_no_rule_avoids_changes_nothing(model: OnnxModel) -> None:
    choice = choose(model, "tone", SCENES, [rows((20, 0.99), (100, 0.3))], ONCE)
    assert 0.32 < choice.rule.on < 0.62
    assert choice.alarms_per_hour == pytest.approx(360.0)


def test_cheap_alarms_are_put_up_with(model: OnnxModel) -> None:
    cheap = Search(min_durations=(0.04,), max_gaps=(0.2,), alarm_price=1e-6)
    assert choose(model, "tone", SCENES, [rows((20, 0.68))], cheap).counts.f1 == 1.0


def test_what_is_chosen_on_is_what_runs(model: OnnxModel) -> None:
    rule = Rule(on=0.5, off=0.4, max_gap=0.2)
    sound = bursts((1.0, 1.5), (4.0, 5.0), (5.9, 6.0), seconds=6.0)
    [one] = scored(model, [Recording("r", lambda: sound)])
    assert told(model, "tone", rule, one.scores) == [s.onset for s in listen(model, {"tone": rule}, sound)]
