"""What was told where something else was, what was missed, and which pairs are the worst."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sed.evaluate.matching import COLLAR
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene

NOTHING = "nothing"
"""Told where no event was told; true where only the bed was heard."""

Confusion = Counter[tuple[str, str]]
"""How often (what is there, what was told)."""


def confusion(scenes: Iterable[tuple[Scene, Sequence[Sound]]]) -> Confusion:
    """Each known event once, under what was told while it sounded, and each other telling under what sounded then.

    Labels are compared, not times: an event told late, or in two pieces, is not confused with anything.
    """
    counts: Confusion = Counter()
    for scene, told in scenes:
        free = list(told)
        for right in (True, False):  # first what was rightly told, so that nobody else takes it for a mistake
            for event in scene.events:
                same = [s for s in told if s.label == event.label and _together(s, event)]
                if bool(same) != right:
                    continue
                wrong = [s for s in free if s.label != event.label and _together(s, event)]
                counts[event.label, event.label if right else wrong[0].label if wrong else NOTHING] += 1
                used = same if right else wrong[:1]
                free = [s for s in free if not any(s is one for one in used)]
        for sound in free:
            counts[_heard_at(scene, sound.onset), sound.label] += 1
    return counts


def worst(counts: Confusion, most: int = 8) -> list[tuple[str, str, int]]:
    """The most frequent mistakes as (there, told, times)."""
    wrong = [(true, told, times) for (true, told), times in counts.items() if true != told]
    return sorted(wrong, key=lambda pair: (-pair[2], pair[0], pair[1]))[:most]


def _heard_at(scene: Scene, onset: float) -> str:
    """The sound mixed in that is nearest to an onset, `nothing` if only the bed is heard there."""
    sounds = [part.sound for part in scene.parts] or list(scene.events)
    near = [s for s in sounds if s.onset - COLLAR <= onset <= s.offset + COLLAR]
    return min(near, key=lambda s: abs(s.onset - onset)).label if near else NOTHING


def _together(told: Sound, known: Sound) -> bool:
    """Whether two sounds overlap, give or take the collar."""
    return told.onset <= known.offset + COLLAR and told.offset >= known.onset - COLLAR
