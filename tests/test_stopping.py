"""Signals: the first that stops, the second that kills, and SIGHUP as often as it comes."""

import os
import signal

import pytest

from sed.stopping import on_signal

STOPPING = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", STOPPING)
def test_the_first_signal_stops_and_the_second_has_its_default_back(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in STOPPING]
    stopped: list[bool] = []
    with on_signal(lambda: stopped.append(True)):
        os.kill(os.getpid(), number)
        assert stopped == [True]
        assert [signal.getsignal(each) for each in STOPPING] == [signal.SIG_DFL] * 2
    assert [signal.getsignal(each) for each in STOPPING] == before


def test_sighup_reloads_as_often_as_it_comes() -> None:
    before = signal.getsignal(signal.SIGHUP)
    reloaded: list[bool] = []
    with on_signal(lambda: None, lambda: reloaded.append(True)):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert reloaded == [True, True]
    assert signal.getsignal(signal.SIGHUP) is before
