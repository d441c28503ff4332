"""The page in a real browser, before a real daemon that hears real sound."""

import gzip
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import soundfile

from sed.web.site import FOLDER
from tests.broker import free_port
from tests.browser import DESK, ENTER, ESCAPE, PHONE, Browser
from tests.daemon import Run
from tests.microphone import VirtualMicrophone
from tests.toy import RATE, bursts
from tests.web.box import Box, box, configured, write_sounds
from tests.web.screenshots import EARLIER, Street, street_box, take

LARGEST = 60_000
"""Bytes of the whole page, as they travel."""

PRE, POST = 0.2, 0.3
CLIPS = f"[clips]\nenabled = true\npre = {PRE}\npost = {POST}"
ARTEFACTS = Path(os.environ.get("EARWITNESS_ARTEFACTS", ".ci/artefacts"))
VIEWS = ("now", "today", "today/week", "events")

SAMPLED = """
    const canvas = document.querySelector(".scope canvas"), {width, height} = canvas, pictures = new Set();
    const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    for (let frame = 0; frame < given[0]; frame++) {
        await new Promise(requestAnimationFrame);
        copy.clearRect(0, 0, width, height);
        copy.drawImage(canvas, 0, 0);
        const {data} = copy.getImageData(0, 0, width, height);
        let sum = 0;
        for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 3]) | 0;
        pictures.add(sum);
    }
    return pictures.size;
"""
DECODED = """
    const clip = await (await fetch(`/clips/${given[0]}.flac`)).arrayBuffer();
    const {duration, sampleRate} = await new OfflineAudioContext(1, 1, given[1]).decodeAudioData(clip);
    return [duration, sampleRate];
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A daemon, and the browser before it."""

    box: Box
    browser: Browser

    def clipped(self) -> dict[str, Any]:
        """An event that has ended, and whose clip is whole."""
        found = list[dict[str, Any]]()

        def look() -> bool:
            events = [each for each in self.box.client.get("/events?limit=20").json()["events"] if each["duration"]]
            found.extend(each for each in events if self.box.client.get(f"/clips/{each['id']}.flac").status_code == 200)
            return bool(found)

        self.browser.wait(look)
        return found[0]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """One with the shipped model and many events, which hears a street meanwhile."""
    with street_box(tmp_path_factory.mktemp("street"), earlier=450) as listening:
        yield listening


@pytest.fixture(scope="module")
def yard(street: Street, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A toy model that hears a burst each second, and keeps its clips."""
    folder = tmp_path_factory.mktemp("page")
    with box(folder, CLIPS) as listening, Browser(f"http://127.0.0.1:{listening.port}", folder) as browser:
        yield Seen(listening, browser)


@pytest.fixture
def page(yard: Seen) -> Iterator[Seen]:
    """And afterwards nothing has been complained of."""
    yard.browser.complaints()
    yield yard
    assert yard.browser.complaints() == []


def test_it_is_small() -> None:
    files = [path.read_bytes() for path in FOLDER.iterdir()]
    assert sum(len(gzip.compress(file)) for file in files) < LARGEST


def test_events_appear_without_reload(page: Seen) -> None:
    browser = page.browser
    browser.open("now")
    browser.shows(".latest a")
    first = browser.attribute(".latest a", "href")
    loaded = browser.run("return performance.timeOrigin")
    browser.wait(lambda: browser.attribute(".latest a", "href") != first)
    assert browser.run("return performance.timeOrigin") == loaded
    assert "tone" in browser.text(".latest a")


def test_the_picture_moves_with_every_frame(page: Seen) -> None:
    page.browser.open("now")
    page.browser.reads(".level", "dBFS")
    assert page.browser.run(SAMPLED, 20) >= 10


def test_the_picture_stands_still_for_who_likes_that(page: Seen) -> None:
    page.browser.open("now", still=True)
    page.browser.reads(".level", "dBFS")
    moved = page.browser.run("const at = performance.now(); const n = await (async () => {" + SAMPLED + "})();"
                             "return [n, performance.now() - at]", 20)  # fmt: skip
    assert moved[0] <= 2 + moved[1] / 1000


def test_a_burst_is_seen_where_it_was(page: Seen) -> None:
    """The toy hears a burst in every second: its score rises, and falls again."""
    browser = page.browser
    browser.open("now")
    browser.reads(".labels .name", "tone")
    browser.wait(lambda: float(browser.text(".labels .number")) > 0.9)
    browser.wait(lambda: float(browser.text(".labels .number")) < 0.5)
    assert browser.run("return document.querySelector('.labels .bar b').style.left") == "50%"


def test_a_clip_plays(page: Seen) -> None:
    browser, event = page.browser, page.clipped()
    seconds, rate = browser.run(DECODED, event["id"], RATE)
    assert rate == RATE
    assert seconds == pytest.approx(PRE + event["duration"] + POST, abs=0.1)
    browser.open(f"event/{event['id']}")
    browser.shows(".event audio")
    browser.wait(lambda: browser.run("return document.querySelector('audio').duration > 0"))  # NaN until it is known
    assert browser.run("return document.querySelector('audio').duration") == pytest.approx(seconds, abs=0.02)
    browser.press(" ")
    browser.wait(lambda: browser.run("return document.querySelector('audio').currentTime > 0.1"))
    assert browser.run("return document.querySelector('.cursor').offsetLeft > 50")


def test_an_event_shows_its_picture_its_curve_and_its_rule(page: Seen) -> None:
    browser, event = page.browser, page.clipped()
    browser.open(f"event/{event['id']}")
    browser.shows(".clip canvas")
    assert f"{event['duration']:.2f} s" in str(browser.attribute(".clip canvas", "aria-label"))
    colours = """
        const canvas = document.querySelector(".clip canvas"), {width, height} = canvas;
        const {data} = canvas.getContext("2d").getImageData(60, 0, width - 80, Math.round(height / 3));
        return new Set(new Uint32Array(data.buffer)).size;
    """
    assert browser.run(colours) > 50
    rule = browser.text(".rule")
    assert "begins once the score reaches 0.5 and pauses when it falls below 0.4" in rule
    assert "Pauses of up to 0.12 s belong to it" in rule
    assert "Shorter than 0.08 s is no event" in rule
    assert browser.attribute(".where time", "title") == event["onset"].replace("T", " ").replace("Z", " UTC")
    hours = datetime.fromisoformat(event["onset"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert browser.text(".where time") == f"{hours:%H:%M:%S}"  # where the browser is


def test_an_event_that_is_not_there_is_told(page: Seen) -> None:
    page.browser.open("event/01JD0000000000000000000000")
    page.browser.reads("[role=alert].empty", "no such event")
    assert len(page.browser.complaints()) == 1  # a 404


def test_verdicts_by_mouse_and_by_key(page: Seen) -> None:
    browser, event = page.browser, page.clipped()

    def stored() -> str | None:
        verdict = page.box.client.get(f"/events/{event['id']}").json()["verdict"]
        return verdict["verdict"] if verdict else None

    browser.open(f"event/{event['id']}")
    browser.click("[data-verdict=wrong]")
    browser.wait(lambda: stored() == "wrong")
    browser.reads("#told", "Stored: wrong")
    assert browser.run("return document.activeElement.dataset.verdict") == "wrong"
    browser.press("r")
    browser.wait(lambda: stored() == "right")
    browser.press("o")
    browser.press("s")  # the only label with it: something else
    browser.wait(lambda: stored() == "other")
    browser.reads(".verdict", "it was something else")
    browser.run("document.activeElement.blur()")
    browser.press("u")
    browser.wait(lambda: stored() is None)


def test_the_list_is_filtered_and_goes_on(page: Seen) -> None:
    browser, client = page.browser, page.box.client
    event = page.clipped()
    client.post(f"/events/{event['id']}/verdict", json={"verdict": "right"})
    browser.open("events")
    browser.shows("li[data-id]")
    browser.click("select[name=verdict] option[value=right]")
    browser.wait(lambda: browser.all("li[data-id]") == 1)
    assert browser.attribute("li[data-id]", "data-id") == event["id"]
    assert browser.run("return location.hash") == "#events?verdict=right"
    csv = client.get(str(browser.attribute(".csv", "href"))).text
    assert len(csv.splitlines()) == 2
    browser.click("select[name=min_score] option[value='0.95']")
    browser.reads(".list", "tone" if event["score"] >= 0.95 else "No event is like that")
    client.post(f"/events/{event['id']}/verdict", json={"verdict": None})


def test_the_timeline(page: Seen) -> None:
    browser = page.browser
    browser.open("today")
    browser.shows(".mark")
    browser.run("document.querySelector('.mark').focus()")
    browser.reads("#tip", "tone at yard")
    browser.press("+")
    browser.wait(lambda: "hour" in str(browser.run("return location.hash")))
    browser.shows("[aria-current=true]")
    browser.press("-")
    browser.press("-")
    browser.wait(lambda: "week" in str(browser.run("return location.hash")))
    browser.reads(".row-name", "tone")


def test_the_keyboard_is_enough(page: Seen) -> None:
    browser = page.browser
    browser.open("now")
    browser.shows(".latest a")
    browser.press("?")
    browser.wait(lambda: browser.run("return document.querySelector('dialog').open"))
    browser.press(ESCAPE)
    browser.wait(lambda: not browser.run("return document.querySelector('dialog').open"))
    browser.press("e")
    browser.shows("li[data-id]")
    browser.press("j")
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    browser.press(ENTER)
    browser.shows(".event h1")
    browser.press("t")
    browser.shows(".timeline")
    browser.press("n")
    browser.shows(".scope")


def test_dark_and_light(page: Seen) -> None:
    browser = page.browser

    def lightness() -> int:
        return int(browser.run("return Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"))

    browser.open("now", dark=True)
    browser.shows(".scope")
    assert lightness() < 40
    browser.press("d")
    assert lightness() > 200
    browser.open("now", dark=True)
    assert lightness() > 200  # that was kept
    browser.press("dd")
    assert lightness() < 40  # as the system


@pytest.mark.parametrize(("dark", "views"), [(False, ("now", "today", "events", "event")), (True, ("today", "event"))])
def test_nobody_is_shut_out(page: Seen, dark: bool, views: tuple[str, ...]) -> None:
    event = page.clipped()["id"]
    for view in views:
        page.browser.open(f"event/{event}" if view == "event" else view, dark=dark)
        page.browser.shows("main h1")
        page.browser.press("?")
        assert page.browser.violations() == [], view


def test_a_phone_scrolls_one_way(page: Seen) -> None:
    event = page.clipped()["id"]
    for view in (*VIEWS, f"event/{event}"):
        page.browser.open(view, PHONE)
        page.browser.shows("main h1")
        assert page.browser.run("return document.documentElement.scrollWidth") <= PHONE[0], view


def test_it_is_soon_usable_on_a_phone(page: Seen) -> None:
    """Also for the seventh time: a browser has six connections, and a page that is left gives its own back."""
    browser = page.browser
    for rate in (1, 1, 1, 1, 1, 1, 4):
        browser.command("Emulation.setCPUThrottlingRate", {"rate": rate})
        browser.open("now", PHONE)
        browser.wait(lambda: browser.run("return performance.getEntriesByName('usable').length"))
        assert browser.run("return performance.getEntriesByName('usable')[0].startTime") < 20_000
    browser.command("Emulation.setCPUThrottlingRate", {"rate": 1})


def test_a_wrong_clock_is_told(page: Seen) -> None:
    browser = page.browser
    slow = {"source": "const right = Date.now; Date.now = () => right() - 65000"}
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", slow)
    browser.open("now")
    browser.reads("#alarms", "The clock of gate is 65 s ahead of yours")
    browser.command("Page.removeScriptToEvaluateOnNewDocument", script)
    browser.open("now")
    browser.shows(".scope")
    assert browser.text("#alarms") == ""


def test_a_verdict_outlives_a_restart_and_the_page_waits_for_it(tmp_path: Path) -> None:
    """No connection, a broker that is away, and a source that is silent are told."""
    write_sounds(tmp_path)
    soundfile.write(tmp_path / "shed.wav", bursts(seconds=300.0) * 0.0, RATE)
    broker = f"127.0.0.1:{free_port()}"
    tables = (CLIPS, f'[mqtt]\nurl = "mqtt://{broker}"', '[[source]]\nname = "shed"\nurl = "file:shed.wav"')
    config = configured(tmp_path, port := free_port(), *tables)
    with Browser(f"http://127.0.0.1:{port}", tmp_path) as browser:
        with Run(tmp_path, "-c", config) as run:
            browser.wait(lambda: run.said("page: ") and run.events("end"))
            event = run.events("end")[0]["id"]
            browser.open(f"event/{event}")
            browser.reads("#alarms", f"The broker at {broker} is away")
            browser.click("[data-verdict=right]")
            browser.shows("[data-verdict=right][aria-pressed=true]")
            browser.reads("#alarms", "shed is silent since ")
            run.send(signal.SIGTERM)
            assert run.end() == 0
            browser.reads("#alarms", "No connection to the daemon")
            assert "⚠" in browser.driver.title
        with Run(tmp_path, "-c", config):
            browser.wait(lambda: "No connection" not in browser.text("#alarms"))
            browser.open(f"event/{event}")
            browser.shows("[data-verdict=right][aria-pressed=true]")


def test_nothing_leaves_the_box(yard: Seen, tmp_path: Path) -> None:
    event = yard.clipped()["id"]
    with Browser(yard.browser.address, tmp_path, watched=True) as browser:
        for view in (*VIEWS, f"event/{event}"):
            browser.open(view)
            browser.shows("main h1")
        browser.shows("audio")
        assert browser.hosts() == {f"127.0.0.1:{yard.box.port}"}


def test_a_lost_microphone_cannot_be_overlooked(tmp_path: Path) -> None:
    write_sounds(tmp_path)
    config = configured(tmp_path, port := free_port())
    config.write_text(config.read_text().replace("file:yard.wav", "mic:yard"))
    with VirtualMicrophone(tmp_path) as microphone, Run(tmp_path, "-c", config) as run:
        microphone.plug()
        with Browser(f"http://127.0.0.1:{port}", tmp_path) as browser:
            browser.wait(lambda: run.said("source yard: hearing"))
            browser.open("now", DESK)
            browser.reads(".chip", "hearing")
            assert browser.text("#alarms") == ""
            microphone.kill()
            browser.reads("#alarms", "yard cannot be heard since ")
            assert "earwitness doctor" in browser.text("#alarms")
            assert browser.driver.title == "⚠ yard cannot be heard"
            microphone.plug()
            browser.wait(lambda: browser.text("#alarms") == "")
            browser.reads(".chip", "hearing")
            assert browser.complaints() == []


def test_pictures_for_whoever_looks_at_the_results_and_a_week_of_many(street: Street, tmp_path: Path) -> None:
    with Browser(street.address, tmp_path) as browser:
        browser.open(f"today/week/{1000 * (datetime.now() - EARLIER).timestamp():.0f}")
        browser.shows(".column")
        columns = browser.run(
            "return [...document.querySelectorAll('.column')].map((each) => parseInt(each.ariaLabel))"
        )
        assert f"{sum(columns)} events" in browser.text(".sub")
        assert 3 < len(columns) < sum(columns)
        for path in take(browser, ARTEFACTS, seconds=3.0):
            assert path.stat().st_size > 10_000
        assert browser.complaints() == []
