"""docs/scale.md: its arithmetic, and the broker that its constants come from, in small."""

import re
from pathlib import Path

import pytest

from benchmarks import scalearchive, scalefleet, scalelimits
from benchmarks.crowd import Crowd
from benchmarks.mosquitto import Collector, Mosquitto
from benchmarks.scaledoc import DOCUMENT, TABLES, numbers, rendered, update
from benchmarks.scalewords import Numbers, say, share, size, span
from benchmarks.traffic import MSS, PUBLISH, Traffic, kind, overheard, packets, topic
from tests.broker import Broker

ROOT = Path(__file__).parents[1]
TEXT = DOCUMENT.read_text()
ASSUMED, MEASURED = (
    TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0] for title in ("Assumptions", "Constants")
)
CELLS = [[cell.strip(" |") for cell in line.split(" | ")] for line in MEASURED.splitlines() if line.startswith("| `")]


def column(table: str, name: str, place: int = 0) -> dict[str, float]:
    """A column of a derived table as the document has it, by the first one; `place` counts those of one name."""
    lines = TEXT.partition(f"<!-- table {table} -->\n")[2].partition("<!-- end -->")[0].splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    at = [n for n, title in enumerate(header) if title == name][place]
    return {row[0].rstrip(" *"): value(row[at]) for row in rows}


def value(cell: str) -> float:
    """What a cell says in bytes, seconds, cores or pieces."""
    number, unit = re.fullmatch(r"([\d,.]+) ?(\S*?)(?:/s)?(?: †)?", cell.replace("< ", "")).groups()  # type: ignore[union-attr]
    factors = {"%": 0.01, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "min": 60, "h": 3600, "days": 86400}
    return float(number.replace(",", "")) * {**factors, "years": 365 * 86400}.get(unit, 1)


def test_the_tables_are_what_the_constants_give() -> None:
    assert set(re.findall(r"<!-- table (\w+) -->", TEXT)) == set(TABLES)
    assert rendered(TEXT) == TEXT, "run python -m benchmarks.scaledoc"


def test_every_constant_says_who_measured_it_and_when() -> None:
    assert len(CELLS) > 30
    for name, number, _, _, command, when in CELLS:
        assert float(number.replace(",", "")) > 0 or name == "`ray_overhead`", name
        module = re.fullmatch(r"`python -m benchmarks\.(\w+)`", command)
        assert module is not None, name
        assert (ROOT / "benchmarks" / f"{module[1]}.py").exists(), name
        assert re.fullmatch(r"(busy, )?\d{1,2} [A-Z][a-z]{2} \d{4}", when), name


class Noticed(Numbers):
    """Numbers that remember which of them were asked for."""

    def __init__(self, known: Numbers) -> None:
        super().__init__(known)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> float:
        self.names.add(name)
        return super().__getitem__(name)


def test_no_number_is_there_for_nothing() -> None:
    known = Noticed(numbers(TEXT))
    for table in TABLES.values():
        table(known)
    quoted = {"wire_connect", "broker_cpu_rush"}  # told of below the constants
    idle = {name for name in known if name not in known.names and f"<!--={name}-->" not in TEXT}
    assert idle == quoted


N = numbers(TEXT)
USUAL, BUSY = N["events_day"] / 86_400, N["events_hour"] / 3_600


@pytest.mark.parametrize(
    ("table", "name", "place", "row", "wanted"),
    [
        ("broker", "messages in, a second", 0, "1,000", 1_000 * (0.1 + 4 * USUAL)),
        ("broker", "busy", 0, "10,000", 10_000 * (0.1 + 4 * BUSY)),
        ("broker", "Mosquitto's core", 0, "10,000", (N["broker_cpu_level"] + 10 * USUAL * N["broker_cpu_event"]) / 1e3),
        ("outage", "memory", 0, "1,000", 1e6 * N["broker_memory"]),
        ("broker", "a month", 0, "100", 100 * 30 * (86_400 * N["wire_standing"] + N["events_day"] * N["wire_event"])),
        ("outage", "its bytes", 0, "100,000", 1e5 * N["wire_reconnect"]),
        ("outage", "its bytes", 1, "10", 10 * N["wire_reconnect_bare"]),
        ("outage", "kept for a night, busy", 0, "1,000", 2e3 * BUSY * 3_600 * N["night"] * N["broker_memory_queued"]),
        ("listening", "as satellites: cores of the centre", 0, "100,000", 1e3 * N["satellite_cpu"]),
        ("data", "rows kept", 0, "1,000", 1_000 * N["events_day"] * N["keep_days"]),
        ("data", "in SQLite", 0, "100", 100 * N["events_day"] * N["keep_days"] * N["row_sqlite"]),
        ("data", "collector", 0, "1,000", 1e-3 * (0.1 * N["collector_cpu_level"] + USUAL * N["collector_cpu_event"])),
        ("cost", "core-hours of boxes", 0, "100", 8_760 * N["box_cpu"]),
        ("archive", "files", 0, "1,000,000", 3.6e9 / N["file_seconds"]),
        ("archive", "core-hours", 0, "100,000", 1e5 / N["scan_speed"]),
        ("archive", "sound", 0, "1,000", 3.6e6 * N["sound_rate"]),
        ("archive", "on 2 cores", 0, "100", N["scan_start"] + 3.6e5 / N["scan_speed"] / N["scan_second"]),
        ("archive", "of it the driver", 0, "1,000,000", 3.6e9 / N["file_seconds"] * N["driver_cpu"] / 1e6),
        ("archive_cost", "GB read", 0, "10,000", 3.6e7 * N["sound_rate"] / 1e9),
    ],
)  # fmt: skip
def test_cells_by_another_way(table: str, name: str, place: int, row: str, wanted: float) -> None:
    assert column(table, name, place)[row] == pytest.approx(wanted, rel=0.006)


def test_what_breaks_first_stands_first() -> None:
    holds = list(column("first", "busy day").values())
    assert holds == sorted(holds)
    assert holds[0] <= 1.005 * N["broker_handles"]


def test_a_limit_is_where_the_curve_reaches_it() -> None:
    busy = scalefleet.days(N)[1]
    limits = {part: holds(busy) for part, holds, _ in scalelimits.limits(N)}
    for name, points in scalelimits.curves(N).items():
        for boxes, used in points:
            assert used == pytest.approx(points[0][1] / points[0][0] * boxes), name
    assert limits["Mosquitto's one core"] * busy.broker == pytest.approx(N["full"])


@pytest.mark.parametrize("hours", scalearchive.HOURS)
def test_more_cores_are_never_slower_and_no_faster_than_the_driver(hours: int) -> None:
    takes = [scalearchive.seconds(N, hours, cores) for cores in (1, *scalearchive.CORES)]
    assert takes == sorted(takes, reverse=True)
    assert takes[-1] >= scalearchive.driver(N, hours)


def test_a_measured_constant_is_put_in_with_its_day(tmp_path: Path) -> None:
    path = tmp_path / "scale.md"
    path.write_text(TEXT)
    update(path, {"broker_cpu_event": 12_345.5}, "1 Jan 2030")
    after = path.read_text()
    assert numbers(after) == {**N, "broker_cpu_event": 12_345.5}
    assert after == rendered(after)
    changed = [new for old, new in zip(TEXT.splitlines(), after.splitlines(), strict=True) if old != new]
    assert [line for line in changed if "1 Jan 2030" in line] == [
        line for line in changed if "`broker_cpu_event`" in line
    ]
    with pytest.raises(KeyError, match="no constant"):
        update(path, {"nonsense": 1.0})


def test_what_is_no_number_is_named() -> None:
    broken = re.sub(r"`box_cpu` \| [\d.]+", "`box_cpu` | TODO(measure)", TEXT)
    with pytest.raises(ValueError, match="box_cpu"):
        numbers(broken)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (say(0.0), "0"), (say(0.00012), "< 0.001"), (say(0.04567), "0.0457"), (say(9.996), "10"), (say(99.96), "100"),
        (say(1_234.5), "1,230"), (say(1e9), "1,000,000,000"), (share(0.123), "12.3 %"), (share(2.5), "2.5 cores"),
        (size(999.0), "999 bytes"), (size(999.7), "1 kB"), (size(4.2e15), "4.2 PB"), (span(90.0), "90 s"),
        (span(7_200.0), "2 h"), (span(86_400.0 * 3), "3 days"), (span(86_400.0 * 730), "2 years"),
    ],
)  # fmt: skip
def test_numbers_in_words(told: str, wanted: str) -> None:
    assert told == wanted


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    folder = tmp_path_factory.mktemp("one")
    with Broker(folder) as broker:
        return overheard(broker.port, folder, seconds=0.1, discovery=False)


def test_one_box_weighs_what_its_packets_do(traffic: Traffic) -> None:
    assert traffic.happening.up == sum(map(len, traffic.event))
    assert traffic.happening.down == 4 * 5  # PUBACK with a reason: nobody has subscribed (MQTT 5.0, 3.4)
    assert traffic.first.up == len(traffic.hello)
    assert traffic.happening.segments >= 4  # each half goes out, and is answered
    assert traffic.happening.bytes == traffic.happening.up + 20 + 52 * traffic.happening.segments
    assert max(map(len, traffic.event)) < MSS
    hello = [packet for packet in packets(bytearray(traffic.hello)) if kind(packet) == PUBLISH]
    assert {topic(packet).rsplit("/")[-1] for packet in hello} >= {"availability", "state", "siren", "level"}


def test_every_event_of_a_crowd_is_passed_on(traffic: Traffic, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Collector(broker, tmp_path) as collector:
        with Crowd(broker.port, traffic) as crowd:
            crowd.gather(30)
            assert crowd.tell(1_000.0, 0.1) > 0
            crowd.rush(200, lanes=20)
            told = crowd.told
            crowd.scatter_and_return()
            assert len([member for member in crowd.members if member.here]) == 30
            assert (crowd.lost, crowd.retries) == (0, 0)
        collector.settle()
        assert collector.leave() == 2 * told
