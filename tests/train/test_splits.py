"""Whole groups on one side, always; the same every time."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.errors import UsageError
from sed.train.manifest import Row
from sed.train.splits import Division, crossing, divided, grouped_folds, missing

pytest.importorskip("sklearn")


def rows(*specs: tuple[str, str]) -> list[Row]:
    return [Row(f"{n}.wav", (label,), group=group) for n, (label, group) in enumerate(specs)]


MANY = rows(*((label, f"{label}{n // 2}") for label in ("siren", "music") for n in range(70)))

SPECS = st.lists(st.tuples(st.sampled_from(["siren", "music", "rain"]), st.sampled_from("abcdefghij")), max_size=60)


@settings(max_examples=50)
@given(specs=SPECS, seed=st.integers(0, 99), sides=st.lists(st.sampled_from(["train", "valid", "test"]), min_size=60))
def test_no_group_is_ever_on_two_sides(specs: list[tuple[str, str]], seed: int, sides: list[str]) -> None:
    made = rows(*specs)
    for given_rows in (made, [replace(row, split=side) for row, side in zip(made, sides, strict=False)]):
        if not given_rows:
            continue
        try:
            placed, _ = divided(given_rows, Division(seed=seed))
        except UsageError:
            assert len(set(specs)) < len(specs) or len({group for _, group in specs}) < 3 or len(specs) < 9
            continue
        assert crossing(placed) == {}
        assert {row.split for row in placed} <= {"train", "valid", "test"}
        assert [row.path for row in placed] == [row.path for row in given_rows]


def test_sevenths_with_both_classes_on_each_side() -> None:
    placed, how = divided(MANY, Division())
    assert how == "split into 7 folds by group, seed 0"
    assert Counter(row.split for row in placed) == {"train": 100, "valid": 20, "test": 20}
    assert missing(placed, ["siren", "music"]) == {}


def test_the_seed_decides() -> None:
    first, again, other = (divided(MANY, Division(seed=seed))[0] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_each_clip_is_tested_once_over_all_folds() -> None:
    tested = [row.path for fold in range(1, 6) for row in divided(MANY, Division(5, fold))[0] if row.split == "test"]
    assert Counter(tested) == Counter(row.path for row in MANY)


def test_the_data_sets_own_folds() -> None:
    own = [replace(row, fold=str(n % 10 + 1), group="") for n, row in enumerate(MANY)]
    placed, how = divided(own, Division(test=10))
    assert how == "split by the data set's 10 folds"
    assert {(row.fold, row.split) for row in placed if row.split != "train"} == {("10", "test"), ("1", "valid")}
    assert divided(own, Division(folds=4))[1].startswith("split into 4 folds")


def test_the_data_sets_own_split_is_kept_but_for_groups_that_cross() -> None:
    own = [replace(row, split="test" if n == 0 else "train") for n, row in enumerate(MANY)]
    placed, how = divided(own, Division())
    assert how == "split as the data set says"
    assert {row.path for row in placed if row.split == "test"} == {"0.wav", "1.wav"}  # a tie is not learnt from


def test_rare_classes_do_not_stop_it() -> None:
    placed, _ = divided([*MANY, *rows(("yawn", "y"))], Division())
    assert len(missing(placed, ["yawn"])["yawn"]) == 2


@pytest.mark.parametrize(("made", "division", "message"), [
    (rows(("siren", "a"), ("siren", "a"), ("siren", "b")), Division(), "2 groups of recordings"),
    (rows(("siren", "a"), ("music", "b"), ("rain", "c")), Division(), "at most 1 clips of a class"),
    (MANY, Division(folds=99), "--folds 99: need at most 70"),
    (MANY, Division(folds=5, test=6), "--fold 6: need a number from 1 to 5"),
    ([replace(row, split="dev") for row in MANY], Division(), "split dev: need train, valid, test; or divide anew"),
    ([replace(row, split="train") for row in MANY], Division(test=2), "--fold 2: the data set has a split of its own"),
])  # fmt: skip
def test_what_cannot_be_divided_is_refused(made: list[Row], division: Division, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        divided(made, division)


def test_folds_hold_whole_groups_of_about_the_same_size() -> None:
    folds = grouped_folds(MANY, 7, 0)
    assert set(Counter(folds).values()) == {20}
