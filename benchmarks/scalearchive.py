"""The arithmetic of an archive: from what an hour of sound and one file cost to ten million hours."""

from benchmarks.scalewords import Numbers, Rows, say, size, span

HOURS = tuple(10**power for power in range(8))
CORES = (2, 16, 256)
GIGA = 1e9


def files(n: Numbers, hours: float) -> float:
    """Recordings."""
    return hours * 3_600.0 / n["file_seconds"]


def driver(n: Numbers, hours: float) -> float:
    """Seconds that the driver itself works; it has one core."""
    return files(n, hours) * n["driver_cpu"] * 1e-6


def seconds(n: Numbers, hours: float, cores: int) -> float:
    """That a scan takes: each core as good as one of two, Ray's part added beyond one machine; or the driver's."""
    each = n["scan_speed"] * (n["scan_second"] / 2.0 if cores > 1 else 1.0)
    far = 1.0 + n["ray_overhead"] / 100.0 if cores > n["cores"] else 1.0
    return n["scan_start"] + max(hours * 3_600.0 / (each * cores) * far, driver(n, hours))


def bound(n: Numbers, hours: float, cores: int) -> bool:
    """Whether it is the driver that takes so long."""
    return seconds(n, hours, cores) == n["scan_start"] + driver(n, hours)


def label(hours: int, n: Numbers) -> str:
    """Marked where more of them than were ever scanned for these figures."""
    return f"{hours:,}{' *' if hours > n['scan_hours'] else ''}"


def tables(n: Numbers, hours: float) -> float:
    """Bytes of Parquet."""
    return files(n, hours) * n["parquet_file"] + hours * n["archive_events"] * n["parquet_event"]


def archive(n: Numbers) -> Rows:
    """What a scan takes."""
    header = ["hours", "files", "sound", "core-hours", *(f"on {cores} cores" for cores in CORES)]
    header += ["of it the driver", "names in its memory", "event rows", "tables"]
    rows = []
    for hours in HOURS:
        takes = [f"{span(seconds(n, hours, cores))}{' †' if bound(n, hours, cores) else ''}" for cores in CORES]
        many = files(n, hours)
        row = [
            label(hours, n),
            say(many),
            size(hours * 3_600.0 * n["sound_rate"]),
            say(hours / n["scan_speed"]),
            *takes,
        ]
        row += [span(driver(n, hours)), size(many * n["driver_name"]), say(hours * n["archive_events"])]
        rows.append([*row, size(tables(n, hours))])
    return [header, *rows]


def reading(n: Numbers) -> float:
    """Bytes a second that a core reads."""
    return n["scan_speed"] * n["sound_rate"]


def first(n: Numbers) -> Rows:
    """What stops being enough."""
    week = 7 * 86_400.0 * n["scan_speed"] * n["scan_second"] / 3_600.0
    machine = 7 * 86_400.0 * n["scan_speed"] * n["scan_second"] / 2.0 * n["cores"] / 3_600.0
    link = n["link"] * 1e6 * n["full"] / reading(n)
    keeps = n["file_seconds"] / (n["driver_cpu"] * 1e-6 * n["scan_speed"])
    names = n["ram"] * GIGA / n["driver_name"] * n["file_seconds"] / 3_600.0
    workers = n["ram"] * GIGA / (n["worker_memory"] * 1e6)
    return [
        ["what is full", "at", "what then"],
        ["two cores, in a week", f"{say(week)} hours of sound", "more cores"],
        [f"{n['cores']:g} cores, in a week", f"{say(machine)} hours of sound", "`--ray`, several machines"],
        [f"{n['ram']:g} GB of memory, by workers", f"{say(workers)} workers", "several machines"],
        [f"a network of {n['link']:g} MB/s", f"{say(link)} cores", "the work to where the sound is, or FLAC"],
        ["one driver", f"{say(keeps)} cores", "a scan a part of the archive, longer files"],
        [f"{n['ram']:g} GB of names in one driver", f"{say(names)} hours of sound", "a scan a part of the archive"],
    ]


def cost(n: Numbers) -> Rows:
    """What has to be paid for once."""
    rows = [
        [
            label(hours, n),
            say(hours / n["scan_speed"]),
            say(hours * 3_600.0 * n["sound_rate"] / GIGA),
            say(tables(n, hours) / GIGA),
        ]
        for hours in HOURS
    ]
    return [["hours", "core-hours", "GB read", "GB of tables"], *rows]


def curves(n: Numbers) -> dict[str, list[tuple[float, float]]]:
    """By cores: hours of sound, and the hours that a scan of them takes."""
    points = sorted({10.0 ** (k / 4) for k in range(29)} | {n["scan_hours"]})
    lines = {f"{cores} cores": [(x, seconds(n, x, cores) / 3_600.0) for x in points] for cores in CORES}
    return {**lines, "the driver alone": [(x, driver(n, x) / 3_600.0) for x in points]}
