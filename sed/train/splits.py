"""Train, valid and test: whole groups on one side, by the data set's own split or folds, or by folds of ours."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sed.errors import UsageError
from sed.train.manifest import Row

SIDES = ("train", "valid", "test")

FOLDS = 7
"""Where nothing else is said: a seventh for test, another for valid, the rest to learn from."""


@dataclass(frozen=True, slots=True)
class Division:
    """How to divide: one of `folds` is test, the next one valid."""

    folds: int | None = None  # None: as the data set says, if it does
    test: int | None = None  # counted from 1, where it begins if nothing is said
    seed: int = 0


def divided(rows: Sequence[Row], division: Division) -> tuple[list[Row], str]:
    """The rows with a side of the split each, no group on two sides, and how that came about.

    Raises UsageError if there are too few groups, or no such fold.
    """
    if division.folds is None and all(row.split for row in rows):
        _check_sides(rows, division)
        return _whole_groups(rows), "split as the data set says"
    if division.folds is None and all(row.fold for row in rows):
        names = sorted({row.fold for row in rows}, key=lambda fold: (len(fold), fold))
        numbers = {fold: number for number, fold in enumerate(names)}
        own = [numbers[row.fold] for row in rows]
        return _by_fold(rows, own, len(names), division), f"split by the data set's {len(names)} folds"
    count = _count(rows, division.folds)
    told = f"split into {count} folds by group, seed {division.seed}"
    return _by_fold(rows, grouped_folds(rows, count, division.seed), count, division), told


def grouped_folds(rows: Sequence[Row], folds: int, seed: int) -> list[int]:
    """The fold of each row, from 0: whole groups, classes spread evenly (scikit-learn's StratifiedGroupKFold)."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError as error:
        raise UsageError("splitting needs scikit-learn; pip install 'earwitness[train]'") from error
    labels = np.array([row.label for row in rows])
    keys = np.array([row.key for row in rows])
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    found = np.zeros(len(rows), int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer clips than folds: missing() tells
        for fold, (_, members) in enumerate(splitter.split(labels, labels, keys)):
            found[members] = fold
    return [int(fold) for fold in found]


def crossing(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The groups that are on more than one side, each with its sides in name order."""
    sides: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.split:
            sides[row.key].add(row.split)
    return {group: sorted(found) for group, found in sorted(sides.items()) if len(found) > 1}


def missing(rows: Sequence[Row], labels: Iterable[str]) -> dict[str, list[str]]:
    """The sides of the split on which a label has no clip."""
    have = {(row.label, row.split) for row in rows}
    lacks = {label: [side for side in SIDES if (label, side) not in have] for label in labels}
    return {label: sides for label, sides in lacks.items() if sides}


def _check_sides(rows: Iterable[Row], division: Division) -> None:
    unknown = sorted({row.split for row in rows} - set(SIDES))
    if unknown:
        raise UsageError(f"split {', '.join(unknown)}: need {', '.join(SIDES)}; or divide anew with --folds")
    if division.test is not None:
        raise UsageError(
            f"--fold {division.test}: the data set has a split of its own; divide anew with --folds as well"
        )


def _whole_groups(rows: Sequence[Row]) -> list[Row]:
    """A group on several sides goes whole to the one that has most of it; of equals, not to train."""
    counts: Mapping[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row.key][row.split] += 1
    side = {key: max(found, key=lambda name: (found[name], name != "train", name)) for key, found in counts.items()}
    return [replace(row, split=side[row.key]) for row in rows]


def _by_fold(rows: Sequence[Row], folds: Sequence[int], count: int, division: Division) -> list[Row]:
    test = 1 if division.test is None else division.test
    if not 1 <= test <= count:
        raise UsageError(f"--fold {test}: need a number from 1 to {count}")
    sides = {test - 1: "test", test % count: "valid"}
    placed = [
        replace(row, split=sides.get(fold, "train"), fold=str(fold + 1)) for row, fold in zip(rows, folds, strict=True)
    ]
    return _whole_groups(placed)


def _count(rows: Sequence[Row], asked: int | None) -> int:
    """How many folds there can be: no more than groups, nor than the commonest class has clips."""
    groups = len({row.key for row in rows})
    most = min(groups, max(Counter(row.label for row in rows).values()))
    if most < 3:
        raise UsageError(
            f"{groups} groups of recordings, at most {most} clips of a class: "
            "train, valid and test need at least 3 of each"
        )
    if asked is not None and asked > most:
        raise UsageError(f"--folds {asked}: need at most {most}, as many as there are groups and clips of a class")
    return asked or min(FOLDS, most)
