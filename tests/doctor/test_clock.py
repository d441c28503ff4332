"""The clock against the kernel's own word, and every verdict."""

import ctypes
from datetime import UTC, datetime

import pytest

from sed.doctor.clock import judged, look, possible_error

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (0.012, "ok", "synchronised within 12 ms"),
        (3.2, "warning", "synchronised to 3.2 s only; see"),
        (16.0, "warning", "not synchronised: times of events drift; sudo timedatectl set-ntp true"),
        (None, "warning", "cannot be told here"),
    ],
)
def test_what_an_error_means(error: float | None, status: str, said: str) -> None:
    finding = judged(NOW, error)
    assert finding.status == status
    assert said in finding.line
    assert finding.found.startswith("2026-11-20 03:00:00 UTC")


def test_this_computers_clock() -> None:
    (finding,) = look()
    assert finding.status in ("ok", "warning")
    assert str(datetime.now(UTC).year) in finding.found


def test_the_kernel_says_the_same_when_asked_otherwise() -> None:
    class NtpTime(ctypes.Structure):  # ntp_gettime(3)
        _fields_ = (("time", ctypes.c_long * 2), ("maxerror", ctypes.c_long), ("rest", ctypes.c_char * 64))

    told = NtpTime()
    assert ctypes.CDLL(None).ntp_gettime(ctypes.byref(told)) >= 0
    assert possible_error() == pytest.approx(told.maxerror / 1e6, abs=0.5)


def test_a_computer_without_a_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sed.doctor.clock.YEARS", range(3000, 3001))
    (finding,) = look()
    assert (finding.status, finding.advice) == ("failed", "set it: sudo timedatectl set-ntp true")
