"""Scenes to measure on, after DCASE 2017 task 2: beds, targets at stated levels over them, and sounds that mislead.

Unlike `scenes.Mixer`, which makes what is learnt from, nothing here is varied: an event is one stretch of a clip, and
its level is set by its loudest 250 ms against the bed under them, both above 100 Hz. Scene n of a kind depends only on
the seed, the clips and n; random choices are whole numbers, and so is the mixing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sed.errors import AudioError
from sed.evaluate.nearby import apart
from sed.train.clips import Clip, doubt, negatives, targets, weights
from sed.train.envelope import CUTS, DEFAULT_CUT, events
from sed.train.fixedpoint import Pcm, Samples, Whole, factor, faded, finished, paste, whole
from sed.train.library import Library
from sed.train.loudness import SILENCE, Loudness
from sed.train.recipe import Split

Rng = np.random.Generator
Kind = Literal["target", "distractor", "explosion"]
Role = Literal["event", "distractor"]
KINDS: tuple[Kind, ...] = ("target", "distractor", "explosion")

RATIOS = (0, 6, 12, 20)
"""dB of a target over the bed under it."""
OTHER_RATIOS = (0, 18)
"""dB, between which a distractor's lies."""
BED_LEVELS = (-45, -30)
"""dBFS, between which a bed's RMS lies."""
BED = "background"
BLASTS = ("explosion", "fireworks", "thunder")
"""What sounds like a shot even to people: in scenes of its own, and in no others."""

_LONGEST = {"event": 8.0, "distractor": 5.0}  # seconds
_LEAD, _TAIL, _SEAM, _MARGIN = 0.05, 0.25, 0.1, 1.5  # seconds
_SHORTEST_BED = 4.0  # seconds
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Placed:
    """One sound of a scene."""

    role: Role
    label: str
    onset: int  # samples
    offset: int  # samples
    ratio_db: float  # its loudest 250 ms over the bed under them
    clip: str
    dataset: str  # the clip's


@dataclass(frozen=True, slots=True)
class MixedScene:
    """A finished scene and what it is made of."""

    name: str
    kind: Kind
    samples: Pcm
    sounds: tuple[Placed, ...]  # in order of onset
    bed: str  # the clip
    bed_dataset: str
    bed_dbfs: float  # RMS, after turning down
    turned_down_db: float


@dataclass(frozen=True, slots=True)
class _Part:
    """A sound still to be drawn: from which classes, and its hundredths of a dB over the bed."""

    role: Role
    pools: "Mapping[str, _Pool]"
    ratio: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a clip, and where in it the sound begins and ends."""

    clip: Clip
    samples: Samples
    onset: int
    offset: int


@dataclass(frozen=True, slots=True)
class _Bed:
    clip: Clip
    samples: Samples
    hundredths: int  # of a dB: its gain
    level: int  # hundredths of dBFS, with that gain
    loudness: Loudness


class SceneSet:
    """Scenes of one side of the split."""

    def __init__(
        self, library: Library, clips: Sequence[Clip], split: Split, labels: Sequence[str], seconds: float, seed: int
    ) -> None:
        """Raises AudioError if the split lacks beds, or clips of a label."""
        self._library, self._labels, self._seed = library, tuple(labels), seed
        self._count = round(seconds * library.rate)
        clips = sorted(clips, key=lambda clip: clip.path)
        others = negatives(clips, labels, split)
        self._split = split
        self._targets = {label: _Pool(targets(clips, label, split)) for label in labels}
        self._beds = _Pool(self._long([clip for clip in others if clip.label == BED]))
        self._blasts = _by_class([clip for clip in others if clip.label in BLASTS])
        self._others = _by_class([clip for clip in others if self._misleads_only(clip)])
        for name, pool in {BED: self._beds, **self._targets}.items():
            if not pool.clips:
                raise AudioError(f"{name}: no clips of split '{split}'; scenes need some")

    def scene(self, kind: Kind, number: int) -> MixedScene:
        """Scene `number` of a kind; raises AudioError if the split lacks what it is made of."""
        rng = np.random.default_rng([self._seed, KINDS.index(kind), number])
        bed = self._bed(rng)
        out = bed.samples * factor(bed.hundredths)
        parts = self._parts(kind, number, rng)
        width = self._count // len(parts)
        slots = np.argsort(rng.integers(1 << 40, size=len(parts)), kind="stable").tolist()
        sounds = [
            self._place(out, bed, part, slot * width, width, rng) for part, slot in zip(parts, slots, strict=True)
        ]
        samples, down = finished(out)
        sounds.sort(key=lambda sound: sound.onset)
        level = round(bed.level / 100 - down, 2)
        return MixedScene(
            f"{kind}-{number:03d}.wav", kind, samples, tuple(sounds), bed.clip.path, bed.clip.dataset, level, down
        )

    def _long(self, beds: list[Clip]) -> list[Clip]:
        """The beds long enough to be repeated without a rattle, or all if there is none."""
        least = min(round(_SHORTEST_BED * self._library.rate), self._count)
        return [clip for clip in beds if self._library.length(clip) >= least] or beds

    def _misleads_only(self, clip: Clip) -> bool:
        """Whether a clip is surely none of the labels, and neither a bed nor a blast."""
        sure = all(doubt(clip.label, label) == 1.0 for label in self._labels)
        return sure and clip.label != BED and clip.label not in BLASTS

    def _bed(self, rng: Rng) -> _Bed:
        """One clip, repeated with cross-fades until the scene is full, at a random level."""
        level = int(rng.integers(100 * BED_LEVELS[0], 100 * BED_LEVELS[1] + 1))
        for _ in range(_TRIES):
            clip = self._beds.draw(rng)
            samples = self._filled(clip, rng)
            power = float(np.mean(np.square(samples / 32768.0)))
            if power > SILENCE:
                gain = level - round(1000.0 * float(np.log10(power)))
                return _Bed(clip, samples, gain, level, Loudness(samples, self._library.rate))
        raise AudioError(f"{BED}: {_TRIES} clips of split '{self._split}' drawn, and none could be heard")

    def _filled(self, clip: Clip, rng: Rng) -> Samples:
        length, seam = self._library.length(clip), round(_SEAM * self._library.rate)
        if length > self._count:
            start = int(rng.integers(length - self._count + 1))
            return whole(self._library.samples(clip, start, start + self._count))
        piece = faded(whole(self._library.samples(clip)), seam, seam)
        out = np.zeros(self._count, np.int64)
        for at in range(-seam, self._count, max(length - seam, 1)):
            paste(out, piece, at, 1)
        return out

    def _parts(self, kind: Kind, number: int, rng: Rng) -> list[_Part]:
        """What a scene is made of.

        Labels, ratios, the second event and the distractor take turns: of three labels, any 48 scenes in a row hold
        each combination once.
        """
        if kind != "target":
            pools = self._others if kind == "distractor" else self._blasts
            if not pools:
                raise AudioError(f"{kind} scenes: no clips for them in split '{self._split}'; ask for --{kind}s 0")
            return [self._other(pools, rng) for _ in range(1 + int(rng.integers(3)))]
        turn, cell = divmod(number, len(self._labels) * len(RATIOS))
        parts = [self._event(cell % len(self._labels), cell // len(self._labels))]
        if turn % 2:
            parts.append(self._event(int(rng.integers(len(self._labels))), int(rng.integers(len(RATIOS)))))
        if turn // 2 % 2 and self._others:
            parts.append(self._other(self._others, rng))
        return parts

    def _event(self, label: int, ratio: int) -> _Part:
        name = self._labels[label]
        return _Part("event", {name: self._targets[name]}, 100 * RATIOS[ratio])

    def _other(self, pools: "Mapping[str, _Pool]", rng: Rng) -> _Part:
        return _Part("distractor", pools, int(rng.integers(100 * OTHER_RATIOS[0], 100 * OTHER_RATIOS[1] + 1)))

    def _place(self, out: Whole, bed: _Bed, part: _Part, start: int, width: int, rng: Rng) -> Placed:
        """Mix one sound into the `width` samples from `start` on, with a margin to its neighbours."""
        rate = self._library.rate
        margin = min(round(_MARGIN * rate), width // 4)
        piece = self._piece(part, min(round(_LONGEST[part.role] * rate), width - 2 * margin), rng)
        length = piece.offset - piece.onset
        onset = start + margin + int(rng.integers(max(0, width - 2 * margin - length) + 1))
        at = onset - piece.onset
        loud, own = Loudness(piece.samples, rate).loudest(piece.onset, piece.offset)
        under = max(bed.loudness.at(at + loud), SILENCE)
        gain = part.ratio + bed.hundredths + round(1000.0 * float(np.log10(under / own)))
        paste(out, piece.samples, at, factor(gain))
        offset = min(self._count, onset + length)
        clip = piece.clip
        return Placed(part.role, clip.label, onset, offset, part.ratio / 100, clip.path, clip.dataset)

    def _piece(self, part: _Part, longest: int, rng: Rng) -> _Piece:
        """A sound of one of the classes, each as likely as the other, that can be heard."""
        names = sorted(part.pools)
        for _ in range(_TRIES):
            clip = part.pools[names[rng.integers(len(names))]].draw(rng)
            piece = self._cut(clip, *self._stretch(part.role, clip, rng), longest)
            if Loudness(piece.samples, self._library.rate).loudest(piece.onset, piece.offset)[1] > SILENCE:
                return piece
        raise AudioError(f"{', '.join(names)}: {_TRIES} clips of split '{self._split}' drawn, and none could be heard")

    def _stretch(self, role: Role, clip: Clip, rng: Rng) -> tuple[int, int, int]:
        """Where a sound of the clip begins and ends, and where the next one begins, in samples."""
        rate, length = self._library.rate, self._library.length(clip)
        if role == "distractor":
            onset, offset = round(clip.onset * rate), round(clip.offset * rate)
            return (onset, min(offset, length), length) if 0 <= onset < min(offset, length) else (0, length, length)
        cut = CUTS.get(clip.label, DEFAULT_CUT)
        found = joined(events(self._library.samples(clip), rate, cut), round(apart(clip.label) * rate))
        number = int(rng.integers(len(found)))
        after = found[number + 1][0] if number + 1 < len(found) else length
        return found[number][0], min(found[number][1], length), after

    def _cut(self, clip: Clip, onset: int, offset: int, after: int, longest: int) -> _Piece:
        """The sound with a short lead and tail, faded, `longest` samples at most; the tail stops short of `after`."""
        rate = self._library.rate
        offset = min(offset, onset + longest)
        lead, tail = min(onset, round(_LEAD * rate)), round(_TAIL * rate)
        last = max(offset, min(offset + tail, after - round(_LEAD * rate)))
        samples = whole(self._library.samples(clip, onset - lead, last))
        return _Piece(clip, faded(samples, lead, max(last - offset, rate // 50)), lead, lead + offset - onset)


def joined(spans: Sequence[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Spans in order; those less than `gap` from the one before are one with it."""
    out = list(spans[:1])
    for onset, offset in spans[1:]:
        if onset - out[-1][1] < gap:
            out[-1] = (out[-1][0], max(out[-1][1], offset))
        else:
            out.append((onset, offset))
    return out


class _Pool:
    """Clips to draw from, by weight."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        shares = np.round(weights(clips) * (1 << 40)).astype(np.int64) if clips else np.zeros(0, np.int64)
        self._edges = np.cumsum(shares)

    def draw(self, rng: Rng) -> Clip:
        return self.clips[int(np.searchsorted(self._edges, rng.integers(self._edges[-1]), side="right"))]


def _by_class(clips: Sequence[Clip]) -> dict[str, _Pool]:
    return {label: _Pool([clip for clip in clips if clip.label == label]) for label in {clip.label for clip in clips}}
