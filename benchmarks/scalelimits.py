"""Which part of a fleet is full first, and so what to build for so many boxes."""

from collections.abc import Callable
from math import ceil, inf

from benchmarks.scalefleet import BOXES, MICRO, Box, days, label, rows_kept
from benchmarks.scalewords import Numbers, Rows, say, size
from sed.sinks.connection import ANSWER_SECONDS

Limit = tuple[str, Callable[[Box], float], str]


def limits(n: Numbers) -> list[Limit]:
    """What can be full, for how many boxes it is, and what to do then."""
    full, ram, disk, link = n["full"], n["ram"] * 1e9, n["disk"] * 1e9, n["link"] * 1e6
    back = ANSWER_SECONDS / MICRO
    kept = n["events_day"] * n["keep_days"] * n["row_postgresql"]
    wait = f"all back within the {ANSWER_SECONDS:g} s that a box waits"
    return [
        ("files that Debian's Mosquitto may open", lambda _: n["broker_handles"], "`LimitNOFILE=` for its unit"),
        ("one collector into SQLite", lambda box: full / box.writing_sqlite, "PostgreSQL"),
        ("one collector into PostgreSQL", lambda box: full / box.writing, "several, they share the events"),
        ("every collector, by levels alone", lambda box: full / box.levels, "a broker and collectors a region"),
        ("Mosquitto's one core", lambda box: full / box.broker, "several, a cluster"),
        ("its memory, after a return", lambda _: ram / (1e3 * n["broker_memory_storm"]), "`discovery = false`"),
        ("its memory, `discovery = false`", lambda _: ram / (1e3 * n["broker_memory_bare"]), "several, a cluster"),
        (wait, lambda _: back / n["broker_cpu_connect"], "`discovery = false`"),
        (f"{wait}, `discovery = false`", lambda _: back / n["broker_cpu_connect_bare"], "several, a cluster"),
        ("its memory, nobody collecting for a night", lambda box: ram / (box.queue * 3_600.0 * n["night"]),
         "more memory, a log"),
        ("one core of PostgreSQL", lambda box: full / box.database, "more cores"),
        ("a disk, by the rows kept of usual days", lambda _: disk / kept, "partitions, a column store"),
        ("the broker's network", lambda box: full * link / box.wire, "several, a cluster"),
    ]  # fmt: skip


def first(n: Numbers) -> Rows:
    """The limits, the lowest first."""
    usual, busy = days(n)
    found = sorted((holds(busy), holds(usual), part, then) for part, holds, then in limits(n))
    rows = [[part, say(calm), say(wild), then] for wild, calm, part, then in found]
    return [["what is full", "boxes, usual day", "busy day", "what then"], *rows]


def brokers(n: Numbers, boxes: float) -> int:
    """How many of Mosquitto's kind: for the core, the memory, and no more boxes on one than were measured."""
    core = days(n)[1].broker / n["full"]
    memory = n["broker_memory_storm"] * 1e3 / (n["ram"] * 1e9)
    return ceil(boxes * max(core, memory, 1.0 / n["broker_boxes"]))


def collectors(n: Numbers, boxes: float) -> int:
    """How many, on a busy day: those of one broker hear all of its levels, and divide its events."""
    busy, many = days(n)[1], brokers(n, boxes)
    left = n["full"] - boxes / many * busy.levels
    if left <= 0.0:
        raise ValueError(f"the levels of {boxes / many:,.0f} boxes are more than a collector can hear")
    return many * ceil(boxes / many * busy.events / n["collector_rate"] / left)


def steps(n: Numbers) -> Rows:
    """What to build."""
    rows = []
    for boxes in BOXES:
        busy, many, collecting = days(n)[1], brokers(n, boxes), collectors(n, boxes)
        files = " with `LimitNOFILE=`" if boxes > n["full"] * n["broker_handles"] else ""
        mqtt = f"Mosquitto{files}" if many == 1 else f"{many:,} Mosquittos, or a cluster that does their work"
        kept = rows_kept(n, boxes) * n["row_postgresql"]
        lite = collecting == 1 and boxes * busy.writing_sqlite < n["full"] and kept < n["sqlite"] * 1e9
        store = "SQLite" if lite else "PostgreSQL" + (", partitions" if kept > n["disk"] * 1e9 / 10.0 else "")
        night = boxes * busy.queue * 3_600.0 * n["night"]
        log = "no" if night < n["ram"] * 1e9 * many else f"yes, or {size(night / many)} of memory in each broker"
        rows.append([label(boxes, n), mqtt, f"{collecting:,}", store, log])
    return [["boxes", "broker", "collectors", "database", "a log such as Kafka"], *rows]


def curves(n: Numbers) -> dict[str, list[tuple[float, float]]]:
    """By part: boxes, and the share of what one such part can do that they use on a busy day."""
    busy = days(n)[1]
    each = {
        "Mosquitto's core": busy.broker,
        f"Mosquitto's memory of {n['ram']:g} GB": n["broker_memory_storm"] * 1e3 / (n["ram"] * 1e9),
        "one collector into PostgreSQL": busy.writing,
        "one core of PostgreSQL": busy.database,
        "one collector into SQLite": busy.writing_sqlite,
    }
    points = sorted({10.0 ** (k / 4) for k in range(25)} | {n["broker_boxes"]})
    return {name: [(x, x * value) for x in points] for name, value in each.items() if 0.0 < value < inf}
