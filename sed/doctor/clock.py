"""The computer's clock: events carry its time."""

import ctypes
from collections.abc import Iterator
from datetime import UTC, datetime

from sed.doctor.finding import Finding, failed, ok, warning

YEARS = range(2025, 2100)
"""What is plausible: a computer without a battery begins in 1970, or where it was switched off."""

GOOD_SECONDS = 1.0
"""Of uncertainty; beyond that, times of events are not worth their milliseconds."""

UNSYNCHRONISED = 16.0
"""Seconds of possible error from which on the kernel counts as unsynchronised, for timedatectl as well."""


class Timex(ctypes.Structure):
    """The beginning of adjtimex(2)'s, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # microseconds
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def look() -> Iterator[Finding]:
    """The year, then whether anything keeps the clock right."""
    now = datetime.now(UTC)
    if now.year not in YEARS:
        yield failed(f"the clock says {now:%Y-%m-%d %H:%M} UTC", "set it: sudo timedatectl set-ntp true")
        return
    yield judged(now, possible_error())


def judged(now: datetime, error: float | None) -> Finding:
    """What a possible error, in seconds, means; None is unknown."""
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if error is None:
        return warning(f"{said}; whether anything sets it cannot be told here", "see 'timedatectl'")
    if error >= UNSYNCHRONISED:
        return warning(f"{said}, not synchronised: times of events drift", "sudo timedatectl set-ntp true")
    if error > GOOD_SECONDS:
        return warning(f"{said}, synchronised to {error:.1f} s only", "see 'timedatectl timesync-status'")
    return ok(f"{said}, synchronised within {1000 * error:.0f} ms")


def possible_error() -> float | None:
    """By how many seconds the kernel's clock may be wrong; None if the kernel does not say. Changes nothing."""
    timex = Timex()
    try:
        told = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if told < 0 else timex.maxerror / 1e6
