"""Training by several processes, on one machine or many, as torchrun starts them; one alone notices nothing of it."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sed.errors import EarwitnessError, UsageError
from sed.train.batchnorm import synchronised
from sed.train.network import Network
from sed.train.settings import TrainSettings

STALLED: Final = timedelta(minutes=10)
"""How long a step may wait for a process that is there and does nothing; one that died is noticed at once."""

PREPARING: Final = timedelta(hours=12)
"""How long the slowest may decode and mix, and the first one measure what was learnt, while the others wait."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train one network together, each on its share of every batch.

    The first one decides, and alone shows, writes and measures. Alone, every method gives back what it is given.
    """

    rank: int = 0
    count: int = 1
    patient: dist.ProcessGroup | None = None  # for what may take PREPARING

    def __str__(self) -> str:
        """As torchrun calls it."""
        return f"train: rank {self.rank} of {self.count}"

    @property
    def first(self) -> bool:
        """Whether this is the process that people see."""
        return self.rank == 0

    def share(self, batch: Sequence[Tensor]) -> list[Tensor]:
        """This process's scenes of a batch: a stretch of the first axis of each tensor, as long as anyone's."""
        size = len(batch[0]) // self.count
        return [part[self.rank * size : (self.rank + 1) * size] for part in batch]

    def total(self, weight: Tensor) -> Tensor:
        """What a share's loss is divided by, so that the mean over all shares is the loss of the whole batch."""
        return self._sum(weight.sum()).clamp(min=1.0) / self.count

    def mean(self, value: Tensor) -> Tensor:
        """Of all processes; no gradient flows through it."""
        return self._sum(value) / self.count

    def agreed(self, done: float, over: bool) -> tuple[float, bool]:
        """How far the run is and whether it stops early, as the first one has it: clocks and floats differ."""
        if self.count == 1:
            return done, over
        told = torch.tensor([done, float(over)], dtype=torch.float64, device=_place())
        dist.broadcast(told, 0)
        return float(told[0]), bool(told[1])

    def same(self, state: dict[str, Any]) -> dict[str, Any]:
        """The first one's `state`, for all; whoever is not ready yet is waited for."""
        if self.count == 1:
            return state
        written = BytesIO()
        torch.save(state, written)
        held = [written.getvalue()]
        dist.broadcast_object_list(held, 0, self.patient, torch.device("cpu"))
        return dict(torch.load(BytesIO(held[0]), weights_only=True, map_location="cpu"))

    def prepare(self, network: Network, still: bool) -> None:
        """Make batch norm one over the whole batch, unless it is held `still`; let each share drop units of its own."""
        if self.count == 1:
            return
        if not still:
            synchronised(network)
        torch.manual_seed(torch.initial_seed() + self.rank)

    def wrapped(self, network: Network) -> nn.Module:
        """`network`, the gradients of what learns in it now being the mean of all."""
        return network if self.count == 1 else DistributedDataParallel(network)

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            dist.barrier(self.patient)

    def _sum(self, value: Tensor) -> Tensor:
        if self.count == 1:
            return value
        whole = value.detach().clone()
        dist.all_reduce(whole)
        return whole


ALONE: Final = Ranks()


def processes() -> int:
    """How many processes torchrun has started, on all machines; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def refuse_several(what: str, instead: str = "start it without torchrun") -> None:
    """Raise UsageError, with what to do `instead`, if there are several processes for what only one can do."""
    if processes() > 1:
        raise UsageError(f"{what}: runs in one process; {instead}")


def check_division(batch: int, count: int) -> None:
    """Raise UsageError unless a batch can be divided evenly."""
    if batch % count:
        nearest = max(count, round(batch / count) * count)
        raise UsageError(
            f"batch: {batch} scenes cannot be divided over {count} processes; "
            f"set batch = {nearest} in --config, or start another number of them"
        )


@contextmanager
def together(settings: TrainSettings) -> Iterator[Ranks]:
    """The processes that torchrun started, joined; alone without it.

    Raises UsageError for a batch that cannot be divided or more processes than GPUs, and EarwitnessError once another
    process has gone.
    """
    if (count := processes()) == 1:
        yield ALONE
        return
    check_division(settings.batch, count)
    ranks = _joined(settings, count)
    try:
        yield ranks
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "gloo" in str(error)):  # gloo's errors have no class of their own
            raise
        raise EarwitnessError(f"{ranks}: lost the others ({_reason(error)}); {_GO_ON}") from error
    finally:
        dist.destroy_process_group()


_GO_ON: Final = "start all of them again with --resume to go on from the last checkpoint"


def _joined(settings: TrainSettings, count: int) -> Ranks:
    rank, local = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK"))
    on_gpu = settings.device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        _take_gpu(local)
    try:
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=STALLED)
        ranks = Ranks(rank, count, dist.new_group(backend="gloo", timeout=PREPARING))
    except (ValueError, RuntimeError) as error:
        raise EarwitnessError(f"train: cannot join the other processes ({_reason(error)}); see --help") from error
    if not ranks.first:
        logging.getLogger("sed").setLevel(logging.ERROR)  # else all would say the same
    if local == 0:
        signal.signal(signal.SIGTERM, lambda *_: _stopped(ranks))
    return ranks


def _take_gpu(local: int) -> None:
    if local >= (there := torch.cuda.device_count()):
        raise UsageError(f"train: {there} GPUs on this machine, and more processes; torchrun --nproc-per-node {there}")
    torch.cuda.set_device(local)


def _stopped(ranks: Ranks) -> None:
    """What torchrun does to the others when one process has failed."""
    raise EarwitnessError(f"{ranks}: stopped from outside, or because another process failed; {_GO_ON}")


def _reason(error: Exception) -> str:
    """The first sentence of it, without the place in gloo's source."""
    said = str(error).split("] ", 1)[-1]
    return said.splitlines()[0].split(". ")[0]


def _place() -> torch.device:
    """Where a tensor must be to be sent."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
