"""Which recordings are learnt from, and which are kept to measure on."""

from collections.abc import Mapping, Sequence

EVERY = 4
"""Of the groups of a label, the second is valid, the sixth, and so on."""


def sides(labels: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> dict[str, str]:
    """`train` or `valid` for each group, from the labels of its recordings; what is `known` stays as it is.

    A group is valid where one of its labels lacks that, and all of them can be learnt from other groups.
    """
    placed = {group: known[group] for group in labels if group in known}
    for group in sorted(labels.keys() - placed.keys()):
        alike = [[placed[other] for other in placed if label in labels[other]] for label in labels[group]]
        lacks = any(own.count("valid") < (len(own) + EVERY - 1) // EVERY for own in alike)
        placed[group] = "valid" if lacks and all("train" in own for own in alike) else "train"
    return placed
