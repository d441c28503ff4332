"""The arithmetic of a fleet: from what one box, one message and one row cost to what a hundred thousand do."""

from dataclasses import dataclass

from benchmarks.scalewords import Numbers, Rows, say, share, size
from sed.sinks.mqtt import LEVEL_SECONDS

BOXES = (1, 10, 100, 1_000, 10_000, 100_000)
DAY, MONTH, YEAR = 86_400.0, 30 * 86_400.0, 365 * 86_400.0
MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """What one box costs the rest, at so many events a second; all but the bytes in cores or a second."""

    n: Numbers
    events: float

    @property
    def told(self) -> float:
        """Messages into the broker: an event is its start and end, ON and OFF."""
        return 1.0 / LEVEL_SECONDS + 4.0 * self.events

    @property
    def wire(self) -> float:
        """Bytes, both ways, with TCP and IPv4."""
        return self.n["wire_standing"] + self.events * self.n["wire_event"]

    @property
    def broker(self) -> float:
        """Of Mosquitto's one core."""
        return self._cores("broker_cpu_level", "broker_cpu_event")

    @property
    def collector(self) -> float:
        """Of a core."""
        return self._cores("collector_cpu_level", "collector_cpu_event")

    @property
    def database(self) -> float:
        """Of PostgreSQL's cores."""
        return self._cores("database_cpu_level", "database_cpu_event")

    @property
    def writing(self) -> float:
        """Of what one collector can do with PostgreSQL, waiting for the disk included."""
        return self.levels + self.events / self.n["collector_rate"]

    @property
    def writing_sqlite(self) -> float:
        """The same with SQLite."""
        return self._cores("collector_cpu_level_sqlite") + self.events / self.n["collector_rate_sqlite"]

    @property
    def levels(self) -> float:
        """Of a core of every collector, for each hears all levels."""
        return self._cores("collector_cpu_level")

    @property
    def queue(self) -> float:
        """Bytes that the broker keeps for a collector that is away."""
        return 2.0 * self.events * self.n["broker_memory_queued"]

    def _cores(self, level: str, event: str = "") -> float:
        cost = self.n[level] / LEVEL_SECONDS + (self.events * self.n[event] if event else 0.0)
        return cost * MICRO


def days(n: Numbers) -> tuple[Box, Box]:
    """A box on a usual and on a busy day."""
    return Box(n, n["events_day"] / DAY), Box(n, n["events_hour"] / 3_600.0)


def label(boxes: int, n: Numbers) -> str:
    """Marked where more of them than were ever measured."""
    return f"{boxes:,}{' *' if boxes > n['broker_boxes'] else ''}"


def listening(n: Numbers) -> Rows:
    """What the boxes use to listen, and what one centre would if they were satellites of it."""
    header = ["boxes", "their own cores", "as satellites: cores of the centre", "sound into it"]
    rows = [
        [
            label(boxes, n),
            share(boxes * n["box_cpu"] / 100.0),
            share(boxes * n["satellite_cpu"] / 100.0),
            f"{size(boxes * n['sound_rate'])}/s",
        ]
        for boxes in BOXES
    ]
    return [header, *rows]


def broker(n: Numbers) -> Rows:
    """What the broker has to do every day."""
    usual, busy = days(n)
    header = ["boxes", "messages in, a second", "busy", "Mosquitto's core", "busy", "on the wire", "busy", "a month"]
    rows = [
        [
            label(boxes, n),
            say(boxes * usual.told), say(boxes * busy.told),
            share(boxes * usual.broker), share(boxes * busy.broker),
            f"{size(boxes * usual.wire)}/s", f"{size(boxes * busy.wire)}/s", size(boxes * usual.wire * MONTH),
        ]
        for boxes in BOXES
    ]  # fmt: skip
    return [header, *rows]


def outage(n: Numbers) -> Rows:
    """What it has to hold, and to do when all boxes were gone and come back at once."""
    header = ["boxes", "memory", "after a return", "CPU of a return", "its bytes"]
    header += ["`discovery = false`: memory", "CPU of a return", "its bytes", "kept for a night, busy"]
    busy = days(n)[1]
    rows = [
        [
            label(boxes, n),
            size(1e3 * boxes * n["broker_memory"]), size(1e3 * boxes * n["broker_memory_storm"]),
            f"{say(boxes * n['broker_cpu_connect'] * MICRO)} s", size(boxes * n["wire_reconnect"]),
            size(1e3 * boxes * n["broker_memory_bare"]),
            f"{say(boxes * n['broker_cpu_connect_bare'] * MICRO)} s", size(boxes * n["wire_reconnect_bare"]),
            size(boxes * busy.queue * 3_600.0 * n["night"]),
        ]
        for boxes in BOXES
    ]  # fmt: skip
    return [header, *rows]


def rows_kept(n: Numbers, boxes: float) -> float:
    """Events in the table."""
    return boxes * n["events_day"] * n["keep_days"]


def data(n: Numbers) -> Rows:
    """What collector and database have to do."""
    usual, busy = days(n)
    header = ["boxes", "events a day", "a second, busy", "collector", "busy", "PostgreSQL", "busy", "rows kept"]
    header += ["in PostgreSQL", "in SQLite"]
    rows = [
        [
            label(boxes, n),
            say(boxes * n["events_day"]), say(boxes * busy.events),
            share(boxes * usual.collector), share(boxes * busy.collector),
            share(boxes * usual.database), share(boxes * busy.database),
            say(kept := rows_kept(n, boxes)),
            size(kept * n["row_postgresql"]), size(kept * n["row_sqlite"]),
        ]
        for boxes in BOXES
    ]  # fmt: skip
    return [header, *rows]


def cost(n: Numbers) -> Rows:
    """What has to be paid for in a year of usual days."""
    usual, _ = days(n)
    header = [
        "boxes",
        "core-hours of the servers",
        "GB kept",
        "GB over the wire",
        "core-hours of boxes",
    ]
    hours = YEAR / 3_600.0
    rows = [
        [
            label(boxes, n),
            say(boxes * hours * (usual.broker + usual.collector + usual.database)),
            say(rows_kept(n, boxes) * n["row_postgresql"] / 1e9),
            say(boxes * usual.wire * YEAR / 1e9),
            say(boxes * hours * n["box_cpu"] / 100.0),
        ]
        for boxes in BOXES
    ]
    return [header, *rows]
