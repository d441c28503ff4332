"""Networks that learn apart and ship as one: the settings of each, and what they are together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sed.errors import UsageError
from sed.train.ensemble import Ensemble
from sed.train.network import Crnn, Network
from sed.train.run import Run, averaged, checkpoint_path
from sed.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Learnt:
    """What all runs of a training came to."""

    network: Network  # on the CPU, ready to score
    steps: int  # of all runs
    seconds: float


def apart(settings: TrainSettings) -> list[TrainSettings]:
    """The settings of each member's run, or those given if there are no members.

    A member's checkpoint is named after the model and the member's number; of a run that goes on, those members begin
    that have none yet.
    """
    runs = [_member(settings, number) for number in range(1, len(settings.members) + 1)]
    begun = [run.resume and checkpoint_path(run).is_file() for run in runs]
    if any(begun):  # else the first one says that there is nothing to go on from
        runs = [run.model_copy(update={"resume": so_far}) for run, so_far in zip(runs, begun, strict=True)]
    return runs or [settings]


def forget(settings: TrainSettings) -> None:
    """Leave no checkpoints of an older run's members behind: they would pass for this one's."""
    for run in apart(settings) if settings.members else ():
        checkpoint_path(run).unlink(missing_ok=True)


def refuse_members(what: str, settings: TrainSettings) -> None:
    """Raise UsageError if there are members, for what is done with one network."""
    if settings.members:
        raise UsageError(f"{what}: is for one network, and the settings have members; leave them out")


def joined(runs: Sequence[Run]) -> Learnt:
    """One network of what each run learnt."""
    networks = [averaged(run).cpu() for run in runs]
    members = [network for network in networks if isinstance(network, Crnn)]
    whole = Ensemble.of(members) if len(runs) > 1 else networks[0]
    return Learnt(whole, sum(run.step for run in runs), sum(run.elapsed for run in runs))


def _member(settings: TrainSettings, number: int) -> TrainSettings:
    given = settings.members[number - 1].model_dump(exclude_none=True)
    share = settings.minutes and settings.minutes / len(settings.members)
    logs = settings.log_dir and settings.log_dir / str(number)
    out = settings.out.with_stem(f"{settings.out.stem}-{number}")
    own = {"members": (), "minutes": share, "log_dir": logs, "out": out}
    return settings.model_copy(update={**own, **given})
