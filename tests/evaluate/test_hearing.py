"""Events and scores of one recording, through the real path."""

import numpy as np
import pytest

from sed.evaluate.hearing import hear
from sed.evaluate.measure import listen
from sed.model import OnnxModel
from tests.evaluate.scenefolders import RULES
from tests.toy import bursts

SOUND = bursts((1.0, 1.5), (2.2, 2.6), (4.0, 5.0), seconds=6.0)


def test_nearby_events_are_one_and_scores_cover_the_recording(toy_model: OnnxModel) -> None:
    heard = hear(toy_model, RULES, SOUND)
    np.testing.assert_allclose([(s.onset, s.offset) for s in heard.told], [(1.0, 2.6), (4.0, 5.0)], atol=0.13)
    assert heard.seconds == 6.0
    assert len(heard.scores) == pytest.approx(6.0 / heard.period, abs=1)
    loud = heard.scores[:, 0] > 0.5
    assert loud.sum() * heard.period == pytest.approx(1.9, abs=0.3)


def test_events_are_those_the_daemon_would_tell(toy_model: OnnxModel) -> None:
    assert {s.onset for s in hear(toy_model, RULES, SOUND).told} <= {s.onset for s in listen(toy_model, RULES, SOUND)}


def test_one_recording_leaves_nothing_for_the_next(toy_model: OnnxModel) -> None:
    one, two = (hear(toy_model, RULES, SOUND) for _ in range(2))
    assert one.told == two.told
    np.testing.assert_array_equal(one.scores, two.scores)


def test_a_recording_shorter_than_a_frame_holds_nothing(toy_model: OnnxModel) -> None:
    heard = hear(toy_model, RULES, SOUND[:100])
    assert heard.told == ()
    assert heard.scores.shape == (0, 1)
