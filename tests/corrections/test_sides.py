"""Recordings to learn from and to measure on: whole groups, and what was decided once stays."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sed.corrections.sides import sides


def test_the_second_and_the_sixth_group_of_a_label_are_kept_apart() -> None:
    placed = sides({f"{n}": ["siren"] for n in range(9)}, {})
    assert [group for group, side in sorted(placed.items()) if side == "valid"] == ["1", "5"]


def test_a_lonely_group_is_learnt_from() -> None:
    assert sides({"a": ["siren", "background"]}, {}) == {"a": "train"}
    assert sides({}, {}) == {}


def test_each_label_gets_its_own() -> None:
    placed = sides(
        {"a": ["siren"], "b": ["background"], "c": ["siren"], "d": ["background", "siren"], "e": ["background"]}, {}
    )
    assert placed == {"a": "train", "b": "train", "c": "valid", "d": "valid", "e": "train"}


GROUPS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.lists(st.sampled_from("xyz"), min_size=1), max_size=12
)


@given(before=GROUPS, added=GROUPS)
def test_what_was_decided_once_stays_and_no_label_is_only_measured_on(
    before: dict[str, list[str]], added: dict[str, list[str]]
) -> None:
    first = sides(before, {})
    both = {**before, **{group: [*before.get(group, []), *labels] for group, labels in added.items()}}
    second = sides(both, first)
    assert {group: second[group] for group in before} == first
    assert second.keys() == both.keys()
    learnt = Counter(label for group, labels in both.items() for label in set(labels) if second[group] == "train")
    assert set(learnt) >= {label for group in added.keys() - before.keys() for label in both[group]}
