"""Rules for a budget: scores whose best rule is known, and the file they are written into."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from sed.errors import SinkError
from sed.evaluate.hearing import hear
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import read_scenes
from sed.evaluate.tune import ON, Budget, Scored, rewritten, scored, tune
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.signals import Floats, Scores
from tests.evaluate.scenefolders import SECONDS, write_folder
from tests.toy import RATE, bursts, metadata

META = metadata()
LENGTH = 120.0


def recording(values: dict[float, tuple[float, int]], *onsets: float, seconds: float = LENGTH) -> Scored:
    """`values` are a score and its number of rows by their first second."""
    rows = np.zeros((round(seconds / META.period), 1), np.float32)
    for at, (score, count) in values.items():
        rows[round(at / META.period) : round(at / META.period) + count] = score
    return Scored(Scores(0, META.hop, rows, META.ahead), tuple(Sound("tone", o, o + 1) for o in onsets), seconds)


EVENTS = recording({10.0: (0.9, 10), 20.0: (0.6, 10)}, 10.0, 20.0)
QUIET = recording(dict.fromkeys((40.0, 60.0, 80.0), (0.7, 3)))  # three short false alarms, 90 an hour


def test_the_budget_is_kept_at_the_least_loss() -> None:
    """A longer minimum keeps the short alarms out and both events in; that is better than a higher threshold."""
    found = tune(META, [EVENTS, QUIET], Budget(0.0))["tone"]
    assert found.alarms_per_hour == 0.0
    assert found.counts.f1 == 1.0
    assert found.rule.min_duration > 3 * META.period
    assert found.rule.on <= 0.6


def test_alarms_as_long_as_events_cost_the_softer_event() -> None:
    loud = recording(dict.fromkeys((40.0, 60.0, 80.0), (0.7, 60)))
    strict, loose = (tune(META, [EVENTS, loud], Budget(most))["tone"] for most in (89.0, 90.0))
    assert (strict.counts.found, strict.alarms_per_hour) == (1, 0.0)
    assert strict.rule.on > 0.7
    assert loose.counts.found == 2
    assert loose.alarms_per_hour == pytest.approx(90.0)


def test_of_rules_as_good_the_one_that_finds_most() -> None:
    """Three soft events cost four false alarms: F1 0.964 instead of 0.971, which nobody could tell apart."""
    loud, soft, wrong = ([2.0 * place for place in range(first, last)] for first, last in ((1, 51), (52, 55), (56, 60)))
    heard = {**dict.fromkeys(loud, (0.9, 10)), **dict.fromkeys((*soft, *wrong), (0.5, 10))}
    busy, quiet = recording(heard, *loud, *soft), recording({}, seconds=60.0)
    assert tune(META, [busy, quiet], Budget(0.0))["tone"].counts.found == 53
    rattling = recording(dict.fromkeys((10.0, 30.0), (0.5, 10)))
    assert tune(META, [busy, rattling], Budget(0.0))["tone"].counts.found == 50


def test_of_rules_as_good_the_one_that_ends_events_where_they_end() -> None:
    """Each score falls to a tenth for two seconds after its event of one; a rule that follows it tells it longer."""
    tails = {at: (0.9, round(1.0 / META.period)) for at in (10.0, 30.0, 50.0)}
    tails |= {at + 1.0: (0.12, round(2.0 / META.period)) for at in (10.0, 30.0, 50.0)}
    found = tune(META, [recording(tails, 10.0, 30.0, 50.0)], Budget(0.0))["tone"]
    assert (found.counts.f1, found.whole.f1) == (1.0, 1.0)
    assert found.rule.off > 0.12


def test_where_ends_cannot_be_told_they_decide_nothing() -> None:
    """Of 53 events three are soft: the rule that finds them ends the others late."""
    loud, soft = [4.0 * place for place in range(1, 51)], [204.0, 208.0, 212.0]
    one, two = round(1.0 / META.period), round(2.0 / META.period)
    heard = {**dict.fromkeys(loud, (0.9, one)), **{at + 1.0: (0.5, two) for at in loud}}
    softly = dict.fromkeys((*soft, 220.0, 224.0, 228.0, 232.0), (0.5, two))  # four of them wrong
    busy = recording(heard | softly, *loud, *soft, seconds=240.0)
    in_time, most = (tune(META, [busy], Budget(0.0), prompt={"tone": 0.4}, ends=ends)["tone"] for ends in (True, False))
    assert (in_time.counts.found, most.counts.found) == (50, 53)
    assert in_time.whole.f1 > most.whole.f1


def test_a_budget_out_of_reach_gives_the_fewest_alarms() -> None:
    certain = recording(dict.fromkeys((40.0, 60.0), (1.0, 60)))
    assert tune(META, [EVENTS, certain], Budget(1.0))["tone"].alarms_per_hour == pytest.approx(60.0)


def test_a_label_without_an_event_has_nothing_to_be_chosen_by() -> None:
    assert tune(META, [QUIET], Budget(0.0)) == {}


def test_onsets_that_rise_slowly_are_moved_back() -> None:
    slow = recording({10.0: (0.4, 30), 11.2: (0.9, 20), 30.0: (0.5, 20)}, 10.0)
    noise = recording({5.0: (0.5, 20)})
    found = tune(META, [slow, noise], Budget(0.0))["tone"]
    assert found.counts.f1 == 1.0
    assert found.rule.on > 0.5 > 0.4 >= found.rule.off
    assert found.rule.max_rise > 0.5


def test_labels_that_have_to_be_told_at_once_wait_no_longer() -> None:
    found = tune(META, [EVENTS, QUIET], Budget(0.0), prompt={"tone": 0.04})["tone"]
    assert found.rule.min_duration == 0.04
    assert found.rule.on > 0.7  # the other way to keep the short alarms out


def test_a_kind_with_its_own_budget_is_counted_apart() -> None:
    loud = replace(recording(dict.fromkeys((40.0, 60.0, 80.0), (0.7, 60))), kind="explosions")
    strict = tune(META, [EVENTS, QUIET, loud], Budget(0.0))["tone"]
    lenient = tune(META, [EVENTS, QUIET, loud], Budget(0.0, {"explosions": 100.0}))["tone"]
    assert (strict.counts.found, lenient.counts.found) == (1, 2)
    assert lenient.alarms_per_hour == 0.0
    assert lenient.apart["explosions"] == pytest.approx(90.0)
    strictest = tune(META, [EVENTS, QUIET, loud], Budget(0.0, {"explosions": 89.0}))["tone"]
    assert strictest.counts.found == 1


def test_only_what_is_searched_for_changes() -> None:
    given = Rule(max_gap=0.4, cooldown=3.0, median=3, alert=False)
    meta = META.model_copy(update={"rules": {"tone": given}})
    rule = tune(meta, [EVENTS, QUIET], Budget(0.0))["tone"].rule
    kept = {"max_gap", "cooldown", "median", "alert"}
    assert rule.model_dump(include=kept) == given.model_dump(include=kept)
    assert rule.on in ON
    assert Rule.model_validate(rule.model_dump()) == rule


def test_scores_are_those_of_the_real_path(toy_model: OnnxModel, tmp_path: Path) -> None:
    scenes = read_scenes(write_folder(tmp_path))
    steps: list[int] = []
    found = scored(toy_model, scenes, lambda: steps.append(1))
    assert len(steps) == len(found) == 4
    assert found[0].seconds == SECONDS
    np.testing.assert_array_equal(found[0].scores.values, heard(toy_model, scenes[0].read(RATE)))


def heard(model: OnnxModel, samples: Floats) -> Floats:
    return hear(model, model.metadata.rules, samples).scores


def test_the_rules_are_in_the_file_and_the_weights_are_the_same(toy_model: OnnxModel, tmp_path: Path) -> None:
    rules = {"tone": Rule(on=0.77, off=0.2)}
    rewritten(toy_model.path, toy_model.metadata.model_copy(update={"rules": rules}), tmp_path / "new" / "tuned.onnx")
    again = OnnxModel(tmp_path / "new" / "tuned.onnx")
    assert again.metadata.rules == rules
    assert again.metadata.model_copy(update={"rules": toy_model.metadata.rules}) == toy_model.metadata
    sound = bursts((1.0, 2.0), seconds=3.0)
    np.testing.assert_array_equal(heard(again, sound), heard(toy_model, sound))
    assert len(onnxruntime.InferenceSession(str(again.path)).get_modelmeta().custom_metadata_map) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["tuned.onnx"]


def test_a_place_that_cannot_be_written_is_told(toy_model: OnnxModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        rewritten(toy_model.path, toy_model.metadata, tmp_path / "file" / "tuned.onnx")


def test_nothing_to_count_on_is_no_alarm() -> None:
    found = tune(META, [EVENTS], Budget(0.0))["tone"]
    assert found.alarms_per_hour == 0.0
    assert math.isclose(found.counts.f1, 1.0)
