"""Networks that learn apart and ship as one, and lessons that follow each other: the settings of each, and the sum."""

from collections.abc import Sequence
from dataclasses import dataclass

from sed.errors import UsageError
from sed.train.ensemble import Ensemble
from sed.train.network import Crnn, Network
from sed.train.run import Run, averaged, checkpoint_path
from sed.train.settings import Lesson, TrainSettings
from sed.train.soup import soup


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


def lessons(settings: TrainSettings) -> list[TrainSettings]:
    """The settings of a run's first lesson and of its second ones, which all begin with the mean weights of the first.

    Minutes are divided among them. A second lesson's checkpoint is named after the first one's; of a run that goes on,
    those second lessons begin that have none yet.
    """
    share = settings.minutes and settings.minutes / (1 + len(settings.then))
    first = settings.model_copy(update={"then": (), "minutes": share})
    return [first, *(_second(first, lesson, number) for number, lesson in enumerate(settings.then, start=1))]


def forget(settings: TrainSettings) -> None:
    """Leave no checkpoints of an older run's members and lessons behind: they would pass for this one's."""
    for run in apart(settings):
        for lesson in lessons(run) if settings.members else lessons(run)[1:]:
            checkpoint_path(lesson).unlink(missing_ok=True)


def refuse_members(what: str, settings: TrainSettings) -> None:
    """Raise UsageError if there are members or second lessons, for what is done with one network in one go."""
    for name, there in (("members", settings.members), ("then", settings.then)):
        if there:
            raise UsageError(
                f"{what}: is for one network, and the settings have {name}; give a --config without [[{name}]], "
                "and take what is found into the one with them"
            )


def joined(courses: Sequence[Sequence[Run]], labels: int) -> Learnt:
    """One network of what each course came to, the runs of a course being its lessons; it scores the first `labels`."""
    networks = [_learnt(course, labels) for course in courses]
    members = [network for network in networks if isinstance(network, Crnn)]
    whole = Ensemble.of(members) if len(networks) > 1 else networks[0]
    runs = [run for course in courses for run in course]
    return Learnt(whole, sum(run.step for run in runs), sum(run.elapsed for run in runs))


def _learnt(course: Sequence[Run], labels: int) -> Network:
    networks = [averaged(run).cpu() for run in course[1:] or course]
    for network in networks:
        network.keep(labels)
    return soup(networks) if len(networks) > 1 else networks[0]


def _second(first: TrainSettings, lesson: Lesson, number: int) -> TrainSettings:
    name = f"then-{number}"
    out = first.out.with_stem(f"{first.out.stem}-{name}")
    own = {"out": out, "begin": first.out.stem, "log_dir": first.log_dir and first.log_dir / name}
    second = first.model_copy(update={**own, **lesson.model_dump(exclude_none=True)})
    if first.resume and not checkpoint_path(second).is_file():
        second = second.model_copy(update={"resume": False})
    return second


def _member(settings: TrainSettings, number: int) -> TrainSettings:
    member = settings.members[number - 1]
    given = {**member.model_dump(exclude_none=True), "then": member.then}
    share = settings.minutes and settings.minutes / -(-len(settings.members) // settings.jobs)  # those at once
    logs = settings.log_dir and settings.log_dir / str(number)
    out = settings.out.with_stem(f"{settings.out.stem}-{number}")
    own = {"members": (), "minutes": share, "log_dir": logs, "out": out}
    return settings.model_copy(update={**own, **given})
