"""The server itself: answers on the port it was given and nowhere else, outlives bad clients, leaves nothing behind."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sed.config import MetricsConfig
from sed.errors import SinkError
from sed.health import exporter
from sed.health.exporter import Exporter
from tests.broker import eventually, free_port
from tests.scrape import scrape


class Answer(Collector):
    """One number."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("answer", "What else.", 42)


def test_it_answers_with_what_is_collected_and_with_the_process() -> None:
    served = Exporter(MetricsConfig(port=(port := free_port())), [Answer()])
    found = scrape(port)
    served.close()
    assert found.value("answer") == 42.0
    assert found.value("process_start_time_seconds") > 1e9
    assert found.value("process_resident_memory_bytes") > 1e6


def test_two_at_once_know_nothing_of_each_other() -> None:
    ports = [free_port(), free_port()]
    served = [
        Exporter(MetricsConfig(port=port), collectors) for port, collectors in zip(ports, ([Answer()], []), strict=True)
    ]
    assert [scrape(port).has("answer") for port in ports] == [True, False]
    for each in served:
        each.close()


def test_the_next_version_of_the_protocol_works_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    served = Exporter(MetricsConfig(port=(port := free_port()), address="::1"), [Answer()])
    assert scrape(port, "[::1]").value("answer") == 42.0
    served.close()


def test_nobody_but_this_computer_reaches_it() -> None:
    served = Exporter(MetricsConfig(port=(port := free_port())), [Answer()])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=1.0):  # noqa: PT011
        pass
    served.close()


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SinkError) as refused:
            Exporter(MetricsConfig(port=port), [Answer()])
    assert str(refused.value) == (
        f"metrics: 127.0.0.1 port {port}: address already in use; "
        "set another metrics.port or metrics.address, or end what uses it"
    )


def test_an_address_that_is_not_of_this_computer() -> None:
    with pytest.raises(SinkError, match=r"metrics: 192\.0\.2\.1 port \d+: cannot assign requested address; set"):
        Exporter(MetricsConfig(port=free_port(), address="192.0.2.1"), [Answer()])


def test_bad_clients_hold_up_nobody_and_leave_neither_threads_nor_handles(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exporter._Request, "timeout", 0.3)
    before, threads = len(os.listdir("/proc/self/fd")), set(threading.enumerate())  # noqa: PTH208
    served = Exporter(MetricsConfig(port=(port := free_port())), [Answer()])
    with ExitStack() as silent, closing(served):
        for _ in range(20):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        for request in (b"", b"\r\n\r\n", b"\xff" * 100_000, b"POST /metrics HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA"):
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.sendall(request)
        assert scrape(port).value("answer") == 42.0
    eventually(lambda: set(threading.enumerate()) <= threads)
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)  # noqa: PTH208
    assert capfd.readouterr() == ("", "")
    Exporter(MetricsConfig(port=port), []).close()  # the port is free again
