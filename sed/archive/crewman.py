"""One worker process, the jobs it was given, and what becomes of them when it dies."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext

from pebble import ProcessExpired, ProcessPool

from sed.archive import worker
from sed.archive.engine import Done, Job, Order
from sed.errors import EarwitnessError

START_SECONDS = 120.0
"""For a worker to be ready; a small computer loads the libraries for some ten."""

STARTS = 10
"""How often a worker may die before it is ready, one time after the other."""

ORPHAN_SECONDS = 1.0
"""How often a worker looks whether its master still lives."""

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Crewman:
    """One worker, and the pool that starts it: a pool of its own, so that its death harms no lock or pipe of others."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._given = deque[tuple[Future[Done], Job]]()  # done in this order
        self._ready: Future[None] | None = None
        self._deaths = 0  # before it was ready, one after the other
        self._pool: ProcessPool | None = None

    @property
    def futures(self) -> list[Future[Done]]:
        """Of the jobs it was given."""
        return [future for future, _ in self._given]

    def give(self, job: Job) -> None:
        """One more job, after those it has."""
        pool = self._pool or self._start()
        future = Future[Done]()
        try:
            future = pool.schedule(_work, args=(job,), timeout=self._order.limit(job))
        except RuntimeError as error:  # it has just died
            future.set_exception(BrokenProcessPool(str(error)))
        self._given.append((future, job))

    def collect(self, waiting: deque[Job]) -> Iterator[Done]:
        """What is done; what is to be done again goes to `waiting`. Raises EarwitnessError if it cannot be started."""
        while self._given:
            future, job = self._given[0]
            if not future.done() and self._is_well():
                return
            error = future.exception() if future.done() else BrokenProcessPool()
            if error is None:
                self._given.popleft()
                yield future.result()
            elif self._was_ready():
                self._given.popleft()
                self._abandon(waiting)
                yield from self._lost(job, error, waiting)
            else:
                self._abandon(waiting)

    def let_go(self) -> ProcessPool | None:
        """The pool, to be stopped; nothing more is given to it."""
        pool, self._pool = self._pool, None
        return pool

    def _start(self) -> ProcessPool:
        self._pool = ProcessPool(1, context=_context())
        with _deaf_to_ctrl_c():
            self._ready = self._pool.schedule(_prepare, args=(self._order, os.getpid()), timeout=START_SECONDS)
        return self._pool

    def _is_well(self) -> bool:
        """A pool whose worker dies idle, or before it took a job, says so nowhere else."""
        return self._pool is not None and self._pool.active

    def _was_ready(self) -> bool:
        """Whether its death may be a job's doing. Raises EarwitnessError if it does not even get ready."""
        assert self._ready is not None  # noqa: S101 - jobs were given
        error = self._ready.exception() if self._ready.done() else BrokenProcessPool("killed")
        if isinstance(error, EarwitnessError):
            raise error
        self._deaths = 0 if error is None else self._deaths + 1
        if self._deaths >= STARTS:
            raise EarwitnessError(
                f"a worker died {STARTS} times before it was ready ({error}); is there enough memory?"
            )
        return error is None

    def _abandon(self, waiting: deque[Job]) -> None:
        """Leave the pool; what else it was given is given to others."""
        waiting.extend(job for _, job in self._given)
        self._given.clear()
        stop([self])

    def _lost(self, job: Job, error: BaseException, waiting: deque[Job]) -> Iterator[Done]:
        """What to do about a job that its worker did not survive, was too slow for, or stumbled over."""
        died = isinstance(error, ProcessExpired | BrokenProcessPool)
        again = job.again() if died else job.apart(job.tried) if len(job.recordings) > 1 else ()
        waiting.extend(again)
        if again:
            return
        if isinstance(error, TimeoutError):
            yield job.given_up("timed_out", f"took longer than {self._order.limit(job):.3g} s; see --time-limit")
        elif died:
            yield job.given_up("crashed", f"its worker died {job.tried + 1} times{_how(error)}")
        else:
            yield job.given_up("crashed", f"{type(error).__name__}: {error}")


def stop(crew: Iterable[Crewman]) -> None:
    """End their processes, all at once."""
    pools = [pool for man in crew if (pool := man.let_go()) is not None]
    for pool in pools:
        pool.stop()  # type: ignore[no-untyped-call]
    for pool in pools:
        pool.join()


def _how(error: BaseException) -> str:
    code = error.exitcode if isinstance(error, ProcessExpired) else 0
    return f" ({signal.Signals(-code).name})" if code < 0 else ""


def _context() -> ForkServerContext:
    """Workers are forked from a process that has the libraries loaded, and nothing else: no thread, no lock held."""
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([worker.__name__])
    return context


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal; those started in here inherit that they do not hear it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_order: Order | None = None
"""Of the process that is a worker."""


def _prepare(order: Order, master: int) -> None:
    global _order
    _order = order
    worker.prepare(order)
    threading.Thread(target=_end_with, args=(master,), daemon=True).start()


def _end_with(master: int) -> None:
    """A decoder that hangs would outlive a master that was killed."""
    while _lives(master):
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _work(job: Job) -> Done:
    assert _order is not None  # noqa: S101 - prepared first
    return worker.work(job, _order)
