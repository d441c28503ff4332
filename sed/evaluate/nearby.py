"""Events of one label that are so close that they count as one."""

from collections.abc import Iterable

from sed.evaluate.reference import Sound

APART = {"siren": 2.0}
APART_DEFAULT = 1.0
"""Seconds: events of one label that are less apart are one, in reference and detections alike."""


def apart(label: str) -> float:
    """How many seconds two events of a label have to be apart to be two."""
    return APART.get(label, APART_DEFAULT)


def joined(sounds: Iterable[Sound]) -> tuple[Sound, ...]:
    """The events in order of onset; those of one label less than `apart` are one."""
    last: dict[str, list[Sound]] = {}
    for sound in sorted(sounds, key=lambda s: (s.onset, s.offset)):
        own = last.setdefault(sound.label, [])
        if own and sound.onset - own[-1].offset < apart(sound.label) - 1e-9:
            own[-1] = Sound(sound.label, own[-1].onset, max(own[-1].offset, sound.offset))
        else:
            own.append(sound)
    return tuple(sorted((s for own in last.values() for s in own), key=lambda s: (s.onset, s.label)))
