"""Numbers as docs/scale.md writes them: three digits that count, and a unit that suits."""

import math

Numbers = dict[str, float]
"""Constants and assumptions by name."""
Rows = list[list[str]]
"""A table; the first row is its header."""

_TIMES = (("s", 1.0, 120.0), ("min", 60.0, 7_200.0), ("h", 3_600.0, 172_800.0), ("days", 86_400.0, 63_072_000.0))
_YEAR = 31_536_000.0


def say(value: float) -> str:
    """1,230 or 0.0457; what is smaller than a thousandth is said to be so."""
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else "-"
    if abs(value) < 0.001:
        return "< 0.001"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.0f}" if digits <= 0 else f"{rounded:,.{digits}f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Of a core: 12.3 %, and from two cores on their number."""
    return f"{say(100.0 * value)} %" if value < 2.0 else f"{say(value)} cores"


def size(value: float) -> str:
    """Of bytes, in powers of a thousand."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 999.5:
            return f"{say(value)} {unit}"
        value /= 1000.0
    return f"{say(value)} PB"


def span(seconds: float) -> str:
    """A time."""
    for unit, factor, below in _TIMES:
        if seconds < below:
            return f"{say(seconds / factor)} {unit}"
    return f"{say(seconds / _YEAR)} years"
