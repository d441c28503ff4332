"""`earwitness scan`: an archive in, two tables and a page of pictures out."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sed import __version__
from sed.config import Config, merged_rules
from sed.errors import UsageError
from sed.metadata import Metadata
from sed.model import OnnxModel
from sed.shipped import model_path
from sed.source.file import Channel
from sed.stopping import on_signal

if TYPE_CHECKING:
    from sed.archive.engine import Engine, Order, Recording
    from sed.archive.progress import Progress
    from sed.archive.scan import ArchiveScan


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    out: Path
    sources: Sequence[str] = ()
    manifests: Sequence[Path] = ()
    workers: int | None = None
    ray: str | None = None
    time_format: str | None = None
    timezone: str = "UTC"
    time_limit: float | None = None
    split: float | None = None
    warm_up: float = 30.0
    channel: Channel = 0
    retry_failed: bool = False
    summary: bool = True
    summary_only: bool = False
    quiet: bool = False


def run(wish: Wish, config: Config) -> int:
    """Scan what is not done yet; returns 1 if a recording failed, now or before, or if it was stopped."""
    try:
        import fsspec  # noqa: F401 - all of it must be there
        import pebble  # noqa: F401
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"scan: needs {error.name}; pip install 'earwitness[scan]'") from error
    order, metadata = _order(wish, config)
    return _pictures(wish, order) if wish.summary_only else _scan(wish, order, metadata)


def _order(wish: Wish, config: Config) -> tuple["Order", Metadata]:
    from sed.archive.engine import Order
    from sed.archive.moment import pattern, zone

    zone(wish.timezone)
    if wish.time_format is not None:
        pattern(wish.time_format)
    path = model_path(config.model)
    content, metadata = path.read_bytes(), OnnxModel(path).metadata
    order = Order(
        content, metadata.name, hashlib.sha256(content).hexdigest(), merged_rules(config, metadata), wish.channel,
        wish.time_limit, wish.warm_up, wish.time_format, wish.timezone,
    )  # fmt: skip
    return order, metadata


def _scan(wish: Wish, order: "Order", metadata: Metadata) -> int:
    from sed.archive.ledger import Ledger
    from sed.archive.progress import Progress
    from sed.archive.scan import ArchiveScan
    from sed.archive.sources import check

    check(wish.sources, wish.manifests)
    engine = _engine(wish)
    with Ledger(wish.out, order, _made_with(wish, order)) as ledger:
        if wish.retry_failed:
            ledger.forget_failures()
        progress = Progress(quiet=wish.quiet)
        scan = ArchiveScan(order, metadata, ledger, progress, wish.split)
        with progress, on_signal(lambda: _stop(scan)):
            progress.expect(lambda: _recordings(wish, lambda line: None))
            scan.run(_recordings(wish, progress.complain), engine)
        failed = ledger.failed
    return _sum_up(wish, order, scan, progress, failed)


def _recordings(wish: Wish, complain: Callable[[str], None]) -> "Iterator[Recording]":
    from sed.archive.sources import listed

    return listed(wish.sources, wish.manifests, complain)


def _engine(wish: Wish) -> "Engine":
    if wish.ray is None:
        from sed.archive.local import LocalWorkers

        return LocalWorkers(wish.workers or len(os.sched_getaffinity(0)))
    from sed.archive.cluster import RayCluster

    return RayCluster(wish.ray, wish.workers)


def _made_with(wish: Wish, order: "Order") -> dict[str, Any]:
    """What must stay the same for one table to hold what two runs find."""
    return {
        "earwitness": __version__,
        "model": order.model_name,
        "model_sha256": order.model_sha256,
        "rules": {label: rule.model_dump() for label, rule in order.rules.items()},
        "channel": order.channel,
        "time_format": order.time_format,
        "timezone": order.timezone,
        "split": wish.split,
        "warm_up": wish.split and order.warm_up,
    }


def _stop(scan: "ArchiveScan") -> None:
    scan.stop()
    os.write(2, b"\nearwitness: finishing what is in hand; Ctrl-C again ends it at once\n")  # print() takes a lock


def _sum_up(wish: Wish, order: "Order", scan: "ArchiveScan", progress: "Progress", failed: int) -> int:
    if not wish.quiet:
        print(f"{progress} -> {wish.out}")
        if difference := str(scan.difference):
            print(difference)
    if (before := failed - progress.failed) > 0:
        progress.tell(f"earwitness: recordings that failed before: {before:,}; --retry-failed scans them again")
    if scan.stopped:
        progress.tell(f"earwitness: stopped; the same command goes on from here (--out {wish.out})")
    elif wish.summary:
        _pictures(wish, order)
    return 1 if scan.stopped or failed or progress.complaints else 0


def _pictures(wish: Wish, order: "Order") -> int:
    from sed.archive.summary import summarise

    page = summarise(wish.out, order)[0]
    if not wish.quiet:
        print(f"summary: {page}")
    return 0
