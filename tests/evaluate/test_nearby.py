"""Events close to each other count as one, in reference and detections alike."""

import pytest

from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound


def sounds(label: str, *spans: tuple[float, float]) -> list[Sound]:
    return [Sound(label, *span) for span in spans]


@pytest.mark.parametrize(("label", "spans", "expected"), [
    ("gun_shot", [(1.0, 1.2), (2.1, 2.3)], [(1.0, 2.3)]),               # 0.9 s
    ("gun_shot", [(1.0, 1.2), (2.2, 2.4)], [(1.0, 1.2), (2.2, 2.4)]),   # 1 s is not less than 1 s
    ("siren", [(1.0, 2.0), (3.9, 5.0)], [(1.0, 5.0)]),                  # a siren's pause may be longer
    ("siren", [(1.0, 2.0), (4.0, 5.0)], [(1.0, 2.0), (4.0, 5.0)]),
    ("gun_shot", [(3.0, 3.1), (1.0, 9.0)], [(1.0, 9.0)]),               # one inside the other, out of order
])  # fmt: skip
def test_joined(label: str, spans: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    assert list(joined(sounds(label, *spans))) == sounds(label, *expected)


def test_labels_are_never_joined_with_each_other() -> None:
    mixed = [Sound("siren", 1.0, 2.0), Sound("gun_shot", 1.5, 1.6), Sound("siren", 2.5, 3.0)]
    assert joined(mixed) == (Sound("siren", 1.0, 3.0), Sound("gun_shot", 1.5, 1.6))
