"""Real worker processes: killed, hanging, stumbling; and what that costs."""

import contextlib
import multiprocessing.forkserver
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from sed.archive.engine import Done, Job, Order, Recording
from sed.archive.local import LocalWorkers
from sed.errors import ModelError
from tests.archive.scanned import toy_order
from tests.toy import RATE, bursts


@pytest.fixture(scope="module", autouse=True)
def _no_process_left() -> Iterator[None]:
    yield
    assert not workers()
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return toy_order(tmp_path)


@pytest.fixture
def good(tmp_path: Path) -> Recording:
    soundfile.write(tmp_path / "good.wav", bursts((0.5, 1.0), seconds=2.0), RATE)
    return Recording(str(tmp_path / "good.wav"), 64_044)


@pytest.fixture
def hanging(tmp_path: Path) -> Recording:
    """A pipe that nobody writes to: whoever opens it waits for ever."""
    os.mkfifo(tmp_path / "hanging.wav")
    return Recording(str(tmp_path / "hanging.wav"))


def workers() -> list[int]:
    """The processes forked from the fork server."""
    server = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()] if server else []


def told(answers: list[Done]) -> list[tuple[str, str]]:
    return sorted((Path(one.recording.name).name, one.status) for done in answers for one in done.outcomes)


def test_does_every_job_once(order: Order, good: Recording) -> None:
    jobs = [Job(n, (good,) * (n % 3 + 1)) for n in range(12)]
    answers = list(LocalWorkers(2).run(iter(jobs), order))
    assert sorted(done.job.number for done in answers) == list(range(12))
    assert {len(one.detections) for done in answers for one in done.outcomes} == {1}


def test_jobs_are_pulled_as_there_is_room(order: Order, good: Recording) -> None:
    pulled: list[int] = []

    def jobs() -> Iterator[Job]:
        for n in range(1_000):
            pulled.append(n)
            yield Job(n, (good,))

    answers = LocalWorkers(2).run(jobs(), order)
    next(answers)
    assert len(pulled) <= 2 * 2 + 2
    answers.close()  # type: ignore[attr-defined]
    assert not workers()


def test_one_that_hangs_costs_only_itself(order: Order, good: Recording, hanging: Recording) -> None:
    jobs = [Job(0, (good, hanging, good)), *(Job(n, (good,)) for n in range(1, 6))]
    answers = list(LocalWorkers(2).run(iter(jobs), replace(order, time_limit=2.0)))
    assert told(answers) == [("good.wav", "done")] * 7 + [("hanging.wav", "timed_out")]
    (late,) = [one for done in answers for one in done.outcomes if one.status == "timed_out"]
    assert late.error == "took longer than 2 s; see --time-limit"


class Reaper(threading.Thread):
    """Kills the first workers that open this pipe; to others it is an empty file."""

    def __init__(self, pipe: str, most: int) -> None:
        super().__init__()
        self._pipe, self._most = pipe, most
        self.killed = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.01):
            with contextlib.suppress(OSError):  # nobody reads
                writer = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
                if self.killed < self._most:
                    self.killed += 1
                    present = set(workers())
                    for pid in present:
                        os.kill(pid, signal.SIGKILL)
                    while present & set(workers()):  # a process takes a moment to die
                        self.over.wait(0.001)
                os.close(writer)


def reaped(order: Order, jobs: list[Job], pipe: str, most: int) -> tuple[list[Done], int]:
    reaper = Reaper(pipe, most)
    reaper.start()
    try:
        return list(LocalWorkers(1).run(iter(jobs), order)), reaper.killed
    finally:
        reaper.over.set()
        reaper.join()


def test_what_kills_its_worker_each_time_is_given_up(order: Order, good: Recording, hanging: Recording) -> None:
    answers, killed = reaped(order, [Job(0, (good, hanging, good)), Job(1, (good,))], hanging.name, 10)
    assert killed == 3
    assert told(answers) == [("good.wav", "done")] * 3 + [("hanging.wav", "crashed")]
    (guilty,) = [one for done in answers for one in done.outcomes if one.status == "crashed"]
    assert guilty.error == "its worker died 3 times (SIGKILL)"


def test_a_worker_that_is_killed_costs_nothing(order: Order, good: Recording, hanging: Recording) -> None:
    answers, killed = reaped(order, [Job(0, (good, hanging, good)), Job(1, (good,))], hanging.name, 1)
    assert killed == 1
    assert told(answers) == [("good.wav", "done")] * 3 + [("hanging.wav", "failed")]
    assert [one.error for done in answers for one in done.outcomes if one.error] == ["holds no sound (0 bytes)"]


def test_workers_killed_at_any_moment(order: Order, good: Recording) -> None:
    """However they are hit, while loading, reading, or idle, every recording is answered for once."""
    answers: list[Done] = []
    jobs = [Job(n, (good,) * 5) for n in range(40)]
    for n, done in enumerate(LocalWorkers(2).run(iter(jobs), order)):
        answers.append(done)
        if n in (0, 20):  # seldom enough that no recording is taken for the reason
            for pid in workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    assert told(answers) == [("good.wav", "done")] * 200


def test_workers_killed_while_they_start(order: Order, good: Recording) -> None:
    """Before they have read what they are to do: more than fits into a pipe."""
    killed, over = set[int](), threading.Event()

    def kill() -> None:
        while len(killed) < 5 and not over.wait(0.001):
            for pid in set(workers()) - killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)

    reaper = threading.Thread(target=kill)
    reaper.start()
    try:
        large = replace(order, model_name="x" * 2_000_000)
        answers = list(LocalWorkers(2).run(iter([Job(n, (good,)) for n in range(6)]), large))
    finally:
        over.set()
        reaper.join()
    assert told(answers) == [("good.wav", "done")] * 6
    assert len(killed) >= 5


def test_a_model_that_cannot_be_loaded_is_told(good: Recording) -> None:
    with pytest.raises(ModelError):
        list(LocalWorkers(1).run(iter([Job(0, (good,))]), Order(b"no model", "none", "none", {})))


def test_a_worker_that_stumbles_is_an_answer(order: Order, good: Recording) -> None:
    odd = replace(order, rules={})  # which no order of ours has
    (done,) = LocalWorkers(1).run(iter([Job(0, (good,))]), odd)
    assert [(one.status, one.error) for one in done.outcomes] == [("crashed", "KeyError: 'tone'")]
