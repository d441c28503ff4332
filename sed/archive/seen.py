"""Names that were met before, millions of them in little memory."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

RECENT = 1 << 14
"""Names held one by one before they are sorted in among the others."""


class Seen:
    """A set of names, each as a 64-bit digest; among 10 million, two are taken for one by a chance of 1 in 400,000."""

    def __init__(self) -> None:
        self._sorted: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._recent: set[int] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._recent)

    def __contains__(self, name: str) -> bool:
        return self._has(_digest(name))

    def add(self, name: str) -> bool:
        """Take in a name; whether it was not there before."""
        if self._has(digest := _digest(name)):
            return False
        self._recent.add(digest)
        if len(self._recent) >= RECENT:
            self._sort()
        return True

    def update(self, names: Iterable[str]) -> None:
        """Take in many."""
        for name in names:
            self.add(name)

    def _has(self, digest: int) -> bool:
        if digest in self._recent:
            return True
        at = int(np.searchsorted(self._sorted, np.uint64(digest)))
        return at < len(self._sorted) and int(self._sorted[at]) == digest

    def _sort(self) -> None:
        recent = np.fromiter(self._recent, np.uint64, len(self._recent))
        self._sorted = np.union1d(self._sorted, recent)
        self._recent = set()


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest(), "little")
