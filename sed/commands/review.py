"""`earwitness review`: the likeliest false alarms first, and the thresholds that the verdicts ask for."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.console import Console

from sed.clips.folder import ClipFolder
from sed.config import Config, merged_rules
from sed.history.event import WholeEvent
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.review.doubt import Doubt, doubted
from sed.review.session import Keys, described, review
from sed.review.suggestion import Suggestion, suggested
from sed.review.terminal import pressed
from sed.shipped import model_path

MOST = 20_000
"""Events that are weighed against each other: the newest."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How many to show, and whether to ask."""

    limit: int = 20
    plain: bool = False


def run(config: Config, journal: Path, which: Filter, wish: Wish) -> None:
    """Ask for verdicts on a terminal, else list. Raises EarwitnessError."""
    rules, clips = _rules(config), ClipFolder(config.clips_folder)
    events = list(islice(History(journal).walk(which), MOST))
    doubts = doubted(events, lambda event: rules.get(event.label))
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not wish.plain
    if not interactive:
        sys.stdout.writelines(f"{line}\n" for line in _lines(doubts[: wish.limit], clips))
        return
    console = Console(highlight=False)
    open_ones = [doubt for doubt in doubts if doubt.event.verdict is None][: wish.limit]
    if not open_ones:
        console.print("no events without a verdict; 'earwitness review --suggest' says what the verdicts ask for")
        return
    keys = Keys(lambda: pressed(sys.stdin.fileno()), console.input)
    given = review(open_ones, Verdicts(journal), clips.path, keys, console)
    console.print(f"{given} verdicts given; 'earwitness review --suggest' says what they ask for")


def suggest(config: Config, journal: Path, which: Filter, worth: float) -> list[str]:
    """TOML with comments: what thresholds would have done to the judged events. Raises EarwitnessError."""
    events = list(History(journal).walk(which))
    if not events:
        return ["# no verdicts in this time; give some with 'earwitness review'"]
    rules = _rules(config)
    days = ((which.until or datetime.now(UTC)) - (which.since or events[-1].onset)).total_seconds() / 86_400.0
    found = [one for label, rule in rules.items() if (one := _suggestion(label, rule, events, worth))]
    lines = [line for one in found for line in (f"# {one.sentence(days)}", *([one.toml()] if one.on else []))]
    return lines or ["# none of the judged events was a false alarm"]


def _rules(config: Config) -> dict[str, Rule]:
    return merged_rules(config, OnnxModel(model_path(config.model)).metadata)


def _suggestion(label: str, rule: Rule, events: Sequence[WholeEvent], worth: float) -> Suggestion | None:
    scores: dict[bool, list[float]] = {True: [], False: []}
    for event in events:
        if event.label == label and event.verdict is not None:
            scores[event.verdict.verdict == "right"].append(event.score)
    return suggested(label, rule.on, scores[True], scores[False], worth)


def _lines(doubts: Sequence[Doubt], clips: ClipFolder) -> Iterator[str]:
    """Three lines an event: its id and verdict, what it was, and why it is doubted."""
    if not doubts:
        yield "no events in this time"
    for doubt in doubts:
        said = doubt.event.verdict
        yield f"{doubt.event.id}  {said.label or said.verdict if said else 'no verdict'}"
        yield described(doubt, clips.path(doubt.event.id)).plain
