"""How much later the daemon tells what it hears while strangers upload recordings.

    python -m benchmarks.uploads [--seconds 120]

The same shots and breaking glass (recordings of the test split), at real time, once alone and once beside 20 uploads of
4 s a second; the daemon is bound to one core, its clients are not. Wanted: at most 20 % later, no sample lost.
"""

import argparse
import json
import os
import statistics
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.http import A_SECOND, clip, daemon, many
from benchmarks.planted import DATA, track

LATER_PERCENT = 20.0

Delays = dict[str, tuple[float, float]]
"""By event, milliseconds from its onset to its line, and from the sample that decided."""


def listen(seconds: float, track_seconds: float, *, busy: bool) -> tuple[Delays, int]:
    """The delays of one run, and the samples it lost."""
    sound, _ = track(track_seconds)
    delays: Delays = {}
    reading_end, writing_end = os.pipe()
    with os.fdopen(reading_end) as lines, os.fdopen(writing_end, "w") as told:
        reader = threading.Thread(target=read, args=[lines, delays])
        reader.start()
        with daemon(sound, told) as running:
            told.close()  # the daemon has its own
            if busy:
                many(running, clip(), seconds)
            else:
                running.share(seconds)
            lost = running.dropped()
        reader.join()
    return delays, lost


def read(lines: Iterable[str], delays: Delays) -> None:
    """Each event as it is told."""
    first: datetime | None = None
    for line in lines:
        event, now = json.loads(line), datetime.now(UTC)
        onset, decided = (datetime.fromisoformat(event[key]) for key in ("onset", "detected_at"))
        first = first or onset
        if event["phase"] == "start":
            name = f"{event['label']} {round((onset - first).total_seconds(), 1)}"
            delays[name] = 1000.0 * (now - onset).total_seconds(), 1000.0 * (now - decided).total_seconds()


def main() -> None:
    """Alone, then beside uploads; events that both runs told are compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0, help="of each run")
    seconds = parser.parse_args().seconds
    if not DATA.is_dir():
        raise SystemExit(f"there is no folder {DATA.name} with recordings beside the repository")
    (alone, lost), (beside, lost_beside) = (listen(seconds, seconds + 60.0, busy=busy) for busy in (False, True))
    both = [(alone[name], beside[name]) for name in alone if name in beside]
    print(f"{len(both)} events told in both runs; samples lost: {lost} alone, {lost_beside} beside uploads")
    for place, what in enumerate(("from onset to line", "from the deciding sample")):
        print(f"  {what:26}{compared([pair[0][place] for pair in both], [pair[1][place] for pair in both])}")


def compared(alone: list[float], beside: list[float]) -> str:
    """Medians, and the change."""
    before, after = statistics.median(alone), statistics.median(beside)
    change = 100.0 * (after / before - 1.0)
    return (
        f"median {before:.1f} ms alone, {after:.1f} ms beside {A_SECOND} uploads a second: {change:+.1f} % "
        f"(wanted {LATER_PERCENT:g})"
    )


if __name__ == "__main__":
    main()
