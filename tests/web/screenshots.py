"""The page's four main views as pictures: for CI, and for the README.

python -m tests.web.screenshots examples
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
import soundfile
from PIL import Image

from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import Message, rfc3339
from sed.shipped import example_module
from tests.broker import eventually, free_port
from tests.browser import PHONE, SECONDS, Browser
from tests.daemon import START_SECONDS, Run
from tests.web.box import answers, calling

DESK, LOW, HIGH = (1280, 800), (1280, 450), (1280, 960)
COLOURS = 200
"""Of a picture in the README: enough to look the same, in a third of the bytes."""

WHOLE_SECONDS = 31.0
"""What the live picture holds."""

EARLIER = timedelta(days=9)
LASTS = {"siren": 14.0, "gun_shot": 0.6, "glass_break": 1.1}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Street:
    """Where its page is, and the number of its process."""

    address: str
    process: int


@contextmanager
def street_box(folder: Path, earlier: int = 0) -> Iterator[Street]:
    """A daemon with the shipped model that hears a street, with clips, a day behind it, and `earlier` events before."""
    example_module("make_street.py").make_street(folder / "once.wav")
    sound, rate = soundfile.read(folder / "once.wav", dtype="int16")
    soundfile.write(folder / "street.wav", np.tile(sound, 40), rate)
    remember(folder / "journal.db", datetime.now(UTC) - EARLIER, earlier)
    remember(folder / "journal.db", datetime.now(UTC))
    port = free_port()
    (folder / "gate.toml").write_text(
        'node = "gate"\n[[source]]\nname = "yard"\nurl = "file:street.wav"\n[journal]\npath = "journal.db"\n'
        f"[clips]\nenabled = true\n[http]\nport = {port}\n"
    )
    with Run(folder, "-c", folder / "gate.toml") as run, calling(port) as client:
        eventually(lambda: answers(client), START_SECONDS)
        yield Street(f"http://127.0.0.1:{port}", run.process.pid)


def remember(path: Path, now: datetime, count: int = 46) -> list[str]:
    """Events of the hours before `now`, more of them by day, some of them judged; returns their ids."""
    rng = np.random.default_rng(7)
    ages = sorted(rng.gamma(2.0, 2.6, count) * 3_600.0 + 300.0, reverse=True)  # seconds
    journal, verdicts, ids = Journal(path), Verdicts(path), list[str]()
    try:
        for age in ages:
            label = str(rng.choice(list(LASTS), p=(0.4, 0.25, 0.35)))
            start, end = told(rng, label, now - timedelta(seconds=age))
            journal.append(start)
            journal.append(end)
            ids.append(str(start["id"]))
        for event, verdict in zip(ids[::3], ("right", "right", "wrong", "right") * count, strict=False):
            verdicts.give(event, verdict)
    finally:
        journal.close()
    return ids


def told(rng: np.random.Generator, label: str, onset: datetime) -> tuple[Message, Message]:
    """The two messages of an event."""
    lasts = LASTS[label] * float(rng.uniform(0.4, 2.5))
    start: Message = {
        "schema": "earwitness.event/1", "id": "01" + "".join(rng.choice(list(ALPHABET), 24)), "event_type": label,
        "label": label, "phase": "start", "node": "gate", "source": "yard", "onset": rfc3339(onset), "offset": None,
        "duration": None, "score": round(float(rng.uniform(0.76, 1.0)), 4),
        "level_dbfs": round(float(rng.uniform(-45, -15)), 1), "detected_at": rfc3339(onset + timedelta(seconds=0.3)),
        "lost_samples": 0, "model": "earwitness-1", "clip": None,
    }  # fmt: skip
    offset = {"offset": rfc3339(onset + timedelta(seconds=lasts)), "duration": round(lasts, 3)}
    return start, {**start, **offset, "phase": "end"}


def take(browser: Browser, folder: Path, seconds: float = WHOLE_SECONDS) -> list[Path]:
    """All four, of a live picture that is `seconds` long."""
    taken = [folder / f"page-{name}.png" for name in ("now", "today", "event", "phone")]
    browser.open("now", DESK)
    browser.reads(".chip", "hearing")
    time.sleep(seconds)
    browser.picture(taken[0])
    browser.open("today", LOW)
    browser.shows(".mark")
    browser.picture(taken[1])
    browser.open(f"event/{clipped(browser.address)}", HIGH)
    browser.shows(".event audio")
    browser.picture(taken[2])
    browser.open("now", PHONE, dark=True)
    browser.reads(".chip", "hearing")
    time.sleep(seconds / 2)
    browser.picture(taken[3])
    return taken


def clipped(address: str) -> str:
    """The newest pane, or siren, whose clip is written; the browser would complain of each that is not."""
    found = list[str]()

    def look() -> bool:
        for label in ("glass_break", "siren"):
            events = client.get("/events", params={"label": label, "limit": 20}).json()["events"]
            kept = (event["id"] for event in events if event["clip"] and not event["open"])
            found.extend(event for event in kept if client.get(f"/clips/{event}.flac").is_success)
        return bool(found)

    with calling(urlsplit(address).port or 80) as client:
        eventually(look, SECONDS)
    return found[0]


def main() -> None:
    """Write the pictures into the folder that is named."""
    with TemporaryDirectory() as name, street_box(Path(name)) as street, Browser(street.address, Path(name)) as browser:
        for path in take(browser, Path(sys.argv[1])):
            Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
            print(path)


if __name__ == "__main__":
    main()
