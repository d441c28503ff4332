"""Who comes second waits."""

import threading
from pathlib import Path

from sed.train.turns import alone_at
from tests.broker import eventually


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    seen: list[str] = []

    def second() -> None:
        seen.append("waits")
        with alone_at(tmp_path / "new" / "one.lock"):
            seen.append("second")

    with alone_at(tmp_path / "new" / "one.lock"):
        other = threading.Thread(target=second)
        other.start()
        eventually(lambda: seen)
        other.join(0.2)  # long enough to go wrong, if it can
        seen.append("first")
    other.join()
    assert seen == ["waits", "first", "second"]
