"""The signals that end or change what runs: SIGTERM, SIGINT and SIGHUP."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_signal(stop: Callable[[], None], reload: Callable[[], None] | None = None) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT, `reload` at every SIGHUP; what stops a second time kills, as usual.

    Both are called in the middle of whatever runs: they may set flags, and must not take locks.
    """
    stopping = (signal.SIGTERM, signal.SIGINT)

    def first(_: int, __: FrameType | None) -> None:
        for each in stopping:
            signal.signal(each, signal.SIG_DFL)
        stop()

    before = {number: signal.signal(number, first) for number in stopping}
    if reload is not None:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: reload())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
