"""When a recording began: as a format finds it in the name, or as its header or its name say by themselves."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sed.archive.engine import Order, TimeSource
from sed.errors import UsageError
from sed.source.file import AudioFile

_CERTAIN = range(1980, 2100)
"""Years; what lies outside is a recorder whose clock was never set, or a number that is no time."""

_DAY = r"(?<!\d)(?P<Y>\d{4})(?P<s>[-_.]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)"
_BETWEEN = r"(?:[T _-]{1,3}(?:birdnet-(?:RTSP_\d+-)?)?)?"
_CLOCK = r"(?P<H>\d\d)(?P<c>[-:.h_]?)(?P<M>\d\d)(?:(?P=c)|m)(?P<S>\d\d)(?P<f>[.,]\d{1,6}(?!\d))?"
_ZONE = r"(?P<z>Z|[+-]\d\d:?\d\d(?!\d))?(?!\d)"
_IN_NAME = re.compile(_DAY + _BETWEEN + _CLOCK + _ZONE, re.IGNORECASE)
"""20261120_025901, 2026-11-20T02-59-01Z, SM4_20261120_025901, turdus_87p_20261120T025901Z (BirdNET-Go), …"""

_OLD_AUDIOMOTH = re.compile(r"[0-9A-F]{8}")
"""A whole name: the seconds since 1970."""

_OURS = re.compile(r"\bbegins=(\S+)")
_AUDIOMOTH = re.compile(
    r"Recorded at (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?P<f>\.\d+)? (?P<d>\d\d)/(?P<m>\d\d)/(?P<Y>\d{4}) "
    r"\(UTC(?:(?P<z>[+-]\d{1,2})(?::(?P<minutes>\d\d))?)?\)"
)
_DIRECTIVES = {
    "Y": r"\d{4}", "f": r"\d{1,6}", "j": r"\d{1,3}", "z": r"(?:Z|[+-]\d\d:?\d\d)", "p": "[AaPp][Mm]", "%": "%",
    "b": r"[^\W\d_]{3,4}", "B": r"[^\W\d_]+", "a": r"[^\W\d_]{2,4}", "A": r"[^\W\d_]+",
} | dict.fromkeys("ymdHIMS", r"\d\d")  # fmt: skip
"""What the directives of strptime stand for in a name."""


def zone(name: str) -> tzinfo:
    """The time zone of that name. Raises UsageError."""
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"--timezone {name}: not known here; as Europe/Berlin, or UTC") from error


def pattern(time_format: str) -> re.Pattern[str]:
    """Where a time of that format stands in a name. Raises UsageError."""
    parts = re.split(r"%(.)", time_format)
    unknown = [letter for letter in parts[1::2] if letter not in _DIRECTIVES]
    if unknown or not {"Y", "y"} & set(parts[1::2]) or time_format.endswith("%"):
        why = f"%{unknown[0]} is not known" if unknown else "needs a year at least"
        raise UsageError(
            f"--time-format {time_format}: {why}; as %Y%m%d_%H%M%S, of {' '.join(map('%'.__add__, _DIRECTIVES))}"
        )
    return re.compile("".join(_DIRECTIVES[part] if n % 2 else re.escape(part) for n, part in enumerate(parts)))


_pattern, _zone = lru_cache(pattern), lru_cache(zone)


def moment(file: AudioFile, name: str, order: Order) -> tuple[datetime | None, TimeSource | None]:
    """When a recording began, in UTC, and what says so; None where nothing does.

    A time format leaves nothing else to be asked. A comment of ours, or of an AudioMoth, names its time zone and goes
    first; then the name; then Broadcast Wave's header, for editors like to write it anew.
    """
    for found, source in _told(file, name, order.time_format):
        if found is not None and found.year in _CERTAIN:
            aware = found if found.tzinfo is not None else found.replace(tzinfo=_zone(order.timezone))
            return aware.astimezone(UTC), source
    return None, None


def _told(file: AudioFile, name: str, time_format: str | None) -> Iterator[tuple[datetime | None, TimeSource]]:
    if time_format is not None:
        yield formatted(name, time_format), "format"
        return
    yield commented(file.comment), "header"
    yield named(name), "name"
    yield _parsed(file.originated), "header"


def formatted(name: str, time_format: str) -> datetime | None:
    """The last time of that format in a name; `/` in a format asks for the folders too."""
    for found in reversed(_pattern(time_format).findall(name)):
        try:
            return datetime.strptime(found, time_format)
        except ValueError:
            continue
    return None


def commented(comment: str) -> datetime | None:
    """What a clip of ours says of itself, or an AudioMoth."""
    if (said := _OURS.search(comment)) is not None:
        return _parsed(said[1])
    if (said := _AUDIOMOTH.search(comment)) is None:
        return None
    hours, minutes = int(said["z"] or 0), int(said["minutes"] or 0)
    ahead = timedelta(hours=hours, minutes=-minutes if hours < 0 else minutes)
    found = _assembled(said)
    return found and found.replace(tzinfo=timezone(ahead))


def named(name: str) -> datetime | None:
    """The time in the last part of a name, in one of the usual ways."""
    path = next((part for part in name.split("::") if "://" in part), name)
    last = re.split(r"[/\\]", path)[-1]
    for said in reversed(list(_IN_NAME.finditer(last))):
        if (found := _assembled(said)) is not None:
            return found
    stem = last.rpartition(".")[0] or last
    return datetime.fromtimestamp(int(stem, 16), UTC) if _OLD_AUDIOMOTH.fullmatch(stem) else None


def _assembled(said: re.Match[str]) -> datetime | None:
    fraction = (said["f"] or "").replace(",", ".")
    zoned = said["z"] if "minutes" not in said.groupdict() else None
    return _parsed(f"{said['Y']}-{said['m']}-{said['d']}T{said['H']}:{said['M']}:{said['S']}{fraction}{zoned or ''}")


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
