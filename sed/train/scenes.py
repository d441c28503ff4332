"""Scenes mixed from clips: a bed, events of the target classes at known places, and sounds that are easily mistaken."""

from collections.abc import Sequence

import numpy as np

from sed.signals import Floats
from sed.train import effects
from sed.train.clips import BEDS, BUSY, HARD, Clip, doubt, negatives, targets
from sed.train.drums import drums
from sed.train.envelope import CUTS, DEFAULT_CUT, events
from sed.train.library import Library
from sed.train.marks import Mark, Scene, Sheet
from sed.train.pools import Pool, listed, pools
from sed.train.recipe import Recipe, Split
from sed.train.sirens import siren
from sed.train.textures import struck, texture
from sed.train.varying import Varying, happens

Rng = np.random.Generator

_QUIET = -60.0
"""dBFS: a bed below it is none to stand out from."""


class Mixer:
    """Scenes of one side of the split; the same seed gives the same scene."""

    def __init__(
        self,
        library: Library,
        clips: Sequence[Clip],
        split: Split,
        labels: Sequence[str],
        recipe: Recipe,
        extra: Sequence[str] = (),
        auxiliary: Sequence[str] = (),
    ) -> None:
        """`clips` may hold more than the split; what is not of it is left out.

        Events are of `labels`; what sounds besides is marked where it is of one of the `extra` labels, which are drawn
        the more often for it, or of the `auxiliary` classes, which are not.
        """
        self._library = library
        self._labels = tuple(labels)
        self._marked = (*extra, *auxiliary)
        self._recipe = recipe
        self._targets = {label: Pool(targets(clips, label, split)) for label in labels}
        others = negatives(clips, labels, split)
        self._others = Pool(others)
        hard = {label: (*HARD.get(label, ()), *recipe.hard.get(label, ())) for label in labels}
        self._hard = {label: listed(others, names) for label, names in hard.items()}
        self._classes = list(pools(others, sorted({clip.label for clip in others})).values()) if recipe.even else []
        self._extras = list(pools(others, extra).values())
        self._shares = BEDS | dict.fromkeys(BUSY if recipe.busy else (), recipe.busy / len(BUSY))
        self._beds = pools(others, tuple(self._shares))
        self._varying = Varying(recipe, library.rate, library.cache)
        self._spans: dict[str, list[tuple[int, int]]] = {}

    def scene(self, seed: Sequence[int], count: int) -> Scene:
        """A scene of `count` samples."""
        rng = np.random.default_rng(list(seed))
        recipe = self._recipe
        if rng.random() < recipe.alone:
            return self._files(count, rng)
        sheet = Sheet()
        out, level = self._bed(count, sheet, rng)
        for _ in range(rng.choice(len(recipe.distractors), p=recipe.distractors)):
            self._add_distractor(out, level, sheet, rng)
        for _ in range(rng.choice(len(recipe.events), p=recipe.events)):
            sheet.events.extend(self._add_event(out, level, sheet.events, rng))
        return sheet.scene(self._varying.captured(out, rng), self._library.rate)

    def _files(self, count: int, rng: Rng) -> Scene:
        """Whole files from their first sample on, targets and others, often with nothing before or between them."""
        rate = self._library.rate
        out = self._quiet(count, float(rng.uniform(-110.0, -62.0)), rng)
        sheet = Sheet()
        at = 0 if rng.random() < 0.6 else int(rng.uniform(0.0, 2.0) * rate)
        while at < count - rate // 5:
            label = self._labels[rng.integers(len(self._labels))]
            pool = self._targets[label] if rng.random() < 0.6 else self._other_pool(rng)
            if not pool.clips:
                break
            clip = pool.draw(rng)
            spans = self._events(clip) if clip.label in (*self._labels, *self._marked) else []
            samples = self._library.samples(clip, 0, count)
            samples, spans = self._varying.sound(samples, spans, clip.label == "siren", rng)
            _paste(out, samples * np.float32(10.0 ** (-rng.uniform(0.0, 12.0) / 20.0)), at)
            marks = [Mark(clip.label, at + a, min(count, at + b)) for a, b in spans if at + a < count - rate // 50]
            (sheet.extras if clip.label in self._marked else sheet.events).extend(marks)
            sheet.doubts.extend(self._doubts(clip, at, min(count, at + len(samples) + rate // 2)))
            at += len(samples) + int(max(0.0, rng.uniform(-0.5, 2.0)) * rate)
        return sheet.scene(self._varying.captured(out, rng), rate)

    def _bed(self, count: int, sheet: Sheet, rng: Rng) -> tuple[Floats, float]:
        """What lies under the scene, and its RMS in dBFS; -70 or less stands for quiet."""
        if rng.random() < self._recipe.quiet_bed or not self._beds:
            level = float(rng.uniform(-100.0, -62.0))
            return self._quiet(count, level, rng), level
        level = float(rng.uniform(-46.0, -22.0))
        bed = self._one_bed(count, sheet, rng)
        if happens(self._recipe.layered, rng):
            bed = bed + self._one_bed(count, sheet, rng) * np.float32(10.0 ** (rng.uniform(-9.0, 3.0) / 20.0))
        if rng.random() < self._recipe.tone / 2:
            bed = effects.colour(bed, rng, self._library.rate, None)
        bed = self._varying.recorded(bed, rng)
        return bed * np.float32(10.0 ** ((level - _rms_db(bed)) / 20.0)), level

    def _one_bed(self, count: int, sheet: Sheet, rng: Rng) -> Floats:
        """`count` samples of one class of bed, or of a texture; of RMS 1 where beds are layered."""
        if happens(self._recipe.texture, rng):
            return texture(count, self._library.rate, rng)
        bed = self._recorded_bed(count, sheet, rng)
        if happens(self._recipe.overlay, rng):
            level = _rms_db(bed) + rng.uniform(-12.0, 3.0)
            bed = bed + texture(count, self._library.rate, rng) * np.float32(10.0 ** (level / 20.0))
        return bed

    def _recorded_bed(self, count: int, sheet: Sheet, rng: Rng) -> Floats:
        """At another speed where beds are layered."""
        shares = np.array([self._shares[name] for name in self._beds])
        name = list(self._beds)[rng.choice(len(shares), p=shares / shares.sum())]
        if name in self._marked:
            sheet.extras.append(Mark(name, 0, count))
        if not self._recipe.layered:
            return self._laid(self._beds[name], count, rng)
        factor = float(rng.uniform(*self._recipe.speeds))
        bed = effects.speed(self._laid(self._beds[name], int(count * factor) + 2000, rng), factor)[:count]
        return bed * np.float32(10.0 ** (-_rms_db(bed) / 20.0))

    def _quiet(self, count: int, level: float, rng: Rng) -> Floats:
        """A quiet microphone's hiss at `level` dBFS, or digital silence below -92."""
        if level < -92.0:
            return np.zeros(count, np.float32)
        return effects.hiss(count, rng) * np.float32(10.0 ** (level / 20.0))

    def _laid(self, pool: Pool, count: int, rng: Rng) -> Floats:
        """`count` samples of clips one after another, joined by short cross-fades."""
        seam = self._library.rate // 10
        out = np.zeros(count, np.float32)
        at = -seam
        while at < count:
            clip = pool.draw(rng)
            length = self._library.length(clip)
            start = int(rng.integers(0, max(1, length - count)))
            piece = effects.fade(self._library.samples(clip, start, start + count + 2 * seam), seam, seam)
            _paste(out, piece, at)
            at += max(len(piece) - seam, 1)
        return out

    def _add_event(self, out: Floats, level: float, before: Sequence[Mark], rng: Rng) -> list[Mark]:
        """Mix one target clip into `out`; the marks of what came with it."""
        label = self._labels[rng.integers(len(self._labels))]
        if not self._targets[label].clips:
            return []
        if label == "siren" and happens(self._recipe.synthetic, rng):
            samples, spans = self._made_siren(rng)
        else:
            samples, spans = self._target(self._targets[label].draw(rng), rng)
        at = _free(len(out), spans, before, self._library.rate, rng) - spans[0][0]
        if not before and happens(self._recipe.abrupt, rng):
            at = -spans[0][0]
        heard = np.concatenate([samples[a:b] for a, b in spans])
        samples = self._placed(samples, level, _rms_db(heard), rng)
        if label == "siren" and level > _QUIET and happens(self._recipe.far, rng):
            samples = self._from_afar(samples, level, spans, rng)
        _paste(out, samples, at)
        inside = [(max(0, a + at), min(len(out), b + at)) for a, b in spans]
        return [Mark(label, a, b) for a, b in inside if b - a >= self._library.rate // 100]

    def _from_afar(self, samples: Floats, level: float, spans: Sequence[tuple[int, int]], rng: Rng) -> Floats:
        """`samples` without their highs, up to 10 dB under the bed or as much over it."""
        dull = effects.muffle(samples, rng, self._library.rate)
        own = _rms_db(np.concatenate([dull[a:b] for a, b in spans]))
        return dull * np.float32(10.0 ** ((level + rng.uniform(-10.0, 6.0) - own) / 20.0))

    def _target(self, clip: Clip, rng: Rng) -> tuple[Floats, list[tuple[int, int]]]:
        """A target clip cut to a length that fits, changed, and its events in samples of what is returned."""
        rate = self._library.rate
        spans = self._events(clip)
        first = max(0, spans[0][0] - int(rng.uniform(0.0, 0.3) * rate))
        if clip.label == "siren":
            first = int(rng.integers(spans[0][0], max(spans[0][0] + 1, spans[0][1] - 2 * rate)))
        last = min(self._library.length(clip), first + int(rng.uniform(2.5, 8.0) * rate))
        kept = [(max(a, first) - first, min(b, last) - first) for a, b in spans if b > first and a < last]
        samples = self._library.samples(clip, first, last)
        return self._changed(samples, kept, clip.label == "siren", rng)

    def _made_siren(self, rng: Rng) -> tuple[Floats, list[tuple[int, int]]]:
        count = int(rng.uniform(2.5, 8.0) * self._library.rate)
        return self._changed(siren(count, self._library.rate, rng), [(0, count)], True, rng)

    def _events(self, clip: Clip) -> list[tuple[int, int]]:
        if clip.path not in self._spans:
            cut = CUTS.get(clip.label, DEFAULT_CUT)
            self._spans[clip.path] = events(self._library.samples(clip), self._library.rate, cut)
        return self._spans[clip.path]

    def _changed(
        self, samples: Floats, spans: list[tuple[int, int]], moving: bool, rng: Rng
    ) -> tuple[Floats, list[tuple[int, int]]]:
        """Faded at both ends, a siren slowly, and varied; the spans follow."""
        rate, recipe = self._library.rate, self._recipe
        slow = int(rng.uniform(0.0, 0.6) * rate) if moving and recipe.speed else rate // 200
        samples = effects.fade(samples, slow, max(slow, rate // 50))
        if slow > rate // 200:
            spans = [(min(a + slow // 3, b - 1) if a < slow else a, b) for a, b in spans]
        return self._varying.sound(samples, spans, moving, rng)

    def _add_distractor(self, out: Floats, level: float, sheet: Sheet, rng: Rng) -> None:
        """Mix one other sound into `out`, half the time one easily mistaken; mark where a target may be in it."""
        rate = self._library.rate
        if happens(self._recipe.drums, rng):
            self._add_made(out, level, drums(int(rng.uniform(2.0, 8.0) * rate), rate, rng), rng)
            return
        if happens(self._recipe.made, rng):
            self._add_made(out, level, struck(int(rng.uniform(0.5, 4.0) * rate), rate, rng), rng)
            return
        pool = self._other_pool(rng)
        if not pool.clips:
            return
        clip = pool.draw(rng)
        onset, offset = int(clip.onset * rate), int(clip.offset * rate)
        most = int(rng.uniform(1.0, 5.0) * rate)
        first = int(rng.integers(onset, offset - most)) if offset - most > onset else max(0, onset - rate // 20)
        samples = self._library.samples(clip, first, first + most)
        if len(samples) < rate // 100:
            return
        samples, spans = self._changed(samples, self._within(clip, first, len(samples)), False, rng)
        at = int(rng.integers(-rate // 2, len(out) - rate // 2))
        _paste(out, self._placed(samples, level, _rms_db(samples), rng), at)
        end = min(len(out), at + len(samples) + rate // 2)
        sheet.doubts.extend(self._doubts(clip, max(0, at), end))
        inside = [(max(0, at + a), min(len(out), at + b)) for a, b in spans]
        sheet.extras.extend(Mark(clip.label, a, b) for a, b in inside if b - a >= rate // 100)

    def _add_made(self, out: Floats, level: float, sound: Floats, rng: Rng) -> None:
        rate = self._library.rate
        placed = self._varying.placed(sound, rng)
        _paste(out, self._placed(placed, level, _rms_db(placed), rng), int(rng.integers(-rate, len(out) - rate)))

    def _within(self, clip: Clip, first: int, count: int) -> list[tuple[int, int]]:
        """Where what is marked sounds in `count` samples of a clip from `first` on."""
        if clip.label not in self._marked:
            return []
        cut = [(max(a - first, 0), min(b - first, count)) for a, b in self._events(clip)]
        return [(a, b) for a, b in cut if b > a]

    def _other_pool(self, rng: Rng) -> Pool:
        """Half the time a class easily mistaken for one of the targets, else all that is none."""
        if self._extras and happens(self._recipe.extra, rng):
            return self._extras[rng.integers(len(self._extras))]
        hard = self._hard[self._labels[rng.integers(len(self._labels))]]
        if hard and rng.random() < 0.5:
            return hard[rng.integers(len(hard))]
        even = self._classes and happens(self._recipe.even, rng)
        return self._classes[rng.integers(len(self._classes))] if even else self._others

    def _doubts(self, clip: Clip, onset: int, offset: int) -> list[Mark]:
        certain = [(label, doubt(clip.label, label)) for label in self._labels]
        power = self._recipe.certainty
        return [Mark(label, onset, offset, weight**power) for label, weight in certain if weight < 1.0]

    def _placed(self, samples: Floats, bed: float, own: float, rng: Rng) -> Floats:
        """`samples`, of RMS `own`, made louder or softer to stand at a random distance from the bed (both dBFS)."""
        low, high = self._recipe.event_to_bed
        gain = rng.uniform(low, high) + bed - own
        if bed < _QUIET:  # quiet: what matters is how far it is from full scale
            gain = rng.uniform(-30.0, -2.0) - 20.0 * np.log10(np.abs(samples).max(initial=1e-6))
        return samples * np.float32(10.0 ** (gain / 20.0))


def _free(count: int, spans: Sequence[tuple[int, int]], before: Sequence[Mark], rate: int, rng: Rng) -> int:
    """Where the first span begins: a second from the scene's end, and apart from other events if that can be had."""
    length = spans[-1][1] - spans[0][0]
    at = 0
    for _ in range(10):
        at = int(rng.integers(rate // 5, max(rate // 5 + 1, count - rate)))
        if all(at > mark.offset + rate or at + length + rate < mark.onset for mark in before):
            break
    return at


def _paste(out: Floats, piece: Floats, at: int) -> None:
    first, last = max(0, at), min(len(out), at + len(piece))
    if last > first:
        out[first:last] += piece[first - at : last - at]


def _rms_db(samples: Floats) -> float:
    return float(10.0 * np.log10(np.mean(np.square(samples), dtype=np.float64) + 1e-12)) if len(samples) else -120.0
