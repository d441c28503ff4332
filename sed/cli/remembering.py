"""Commands that look back: events, verdicts, and what can be learnt from them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from sed.cli.app import app
from sed.cli.options import ConfigOption, ModelOption, load
from sed.errors import UsageError

JournalOption = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="The journal.", show_default="as the config says")
]
LabelOption = Annotated[list[str] | None, typer.Option("--label", help="Only this label; repeatable.")]
SourceOption = Annotated[list[str] | None, typer.Option("--source", help="Only this source; repeatable.")]
SinceOption = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="2h or 7d ago, today, yesterday, 2026-11-20, 2026-11-20T03:00 or with a zone."),
]
UntilOption = Annotated[str | None, typer.Option(metavar="WHEN", help="Up to then, not at it.")]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.command()
def events(
    label: LabelOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    min_score: Annotated[float | None, typer.Option(help="Only with a score this high.")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="Only those called right, wrong or other; given: any of these; none.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many at most.", show_default="all; 100 in a table")
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option("--format", "-f", help="table, csv, json, jsonl or tsv.", show_default="table on a terminal, tsv"),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.")] = None,
    journal: JournalOption = None,
    config: ConfigOption = None,
) -> None:
    """List what was heard, newest first, from the journal; the daemon may run meanwhile.

    Times are local in the table, and where a WHEN names no zone; in all other formats they are UTC.

    Example: **earwitness events --since 7d --label glass_break**
    """
    from sed.commands import events as command

    which = _filter(label, source, since, until, min_score=min_score, verdict=verdict)
    command.run(_journal(journal, config), which, command.Wish(format, output, limit))


@app.command()
def verdict(
    event: Annotated[str, typer.Argument(metavar="ID", help="The event, as 'earwitness events' shows it.")],
    verdict: Annotated[
        str, typer.Argument(metavar="VERDICT", help="right, wrong, the label that it really was, or none.")
    ],
    comment: Annotated[str | None, typer.Option(help="A line to go with it.")] = None,
    journal: JournalOption = None,
    config: ConfigOption = None,
) -> None:
    """Say of an event whether it was right; the last word counts, and is kept as long as the event.

    Example: **earwitness verdict 01JD5Q0W9GT4X8Z3KQ6M2N7R1S car_horn**
    """
    from sed.commands import events as command

    typer.echo(command.give(_journal(journal, config), event, verdict, comment))


@app.command("review")
def review_(
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Say what thresholds the verdicts ask for, as lines for the config.")
    ] = False,
    worth: Annotated[
        float, typer.Option(min=0.0, help="With --suggest: false alarms that weigh as much as one missed event.")
    ] = 3.0,
    label: LabelOption = None,
    source: SourceOption = None,
    since: SinceOption = "7d",
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 20,
    plain: Annotated[bool, typer.Option("--list", help="List them, ask nothing.", show_default="in a pipe")] = False,
    journal: JournalOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
) -> None:
    """Go through the likeliest false alarms and say, with one key each, what they were.

    First come events without a verdict whose score is close to the threshold, whose like were mostly wrong, of which
    there were many at once, or which were shorter than usual. Each is shown with its clip, if there is one.

    Example: **earwitness review --label glass_break**
    """
    from sed.commands import review as command

    settings, where = load(config, model), _journal(journal, config)
    if suggest:
        which = _filter(label, source, since, until, verdict="given")
        for line in command.suggest(settings, where, which, worth):
            typer.echo(line)
        return
    command.run(settings, where, _filter(label, source, since, until), command.Wish(limit, plain))


@app.command("export-corrections")
def export_corrections(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; what an earlier export wrote there stays.")],
    label: LabelOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    clips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of clips.", show_default="as the config says")
    ] = None,
    journal: JournalOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the clips of judged events, and what they were, as data that train --finetune and evaluate read.

    Right events are of their label, others of the one that was named, wrong ones background. Do it before the clips
    are deleted: clips.max_age is a week where nothing else is said.

    Example: **earwitness export-corrections corrections**
    """
    from sed.commands import corrections as command

    which = _filter(label, source, since, until, verdict="given")
    for line in command.run(load(config), _journal(journal, config), clips, which, folder):
        typer.echo(line)


def _journal(path: Path | None, config: Path | None) -> Path:
    found: Path = path or load(config).journal.path
    return found


def _filter(
    labels: list[str] | None, sources: list[str] | None, since: str | None, until: str | None, **more: Any
) -> Any:
    from sed.history.filter import Filter

    return Filter(
        labels=tuple(labels or ()), sources=tuple(sources or ()), since=moment_of("--since", since),
        until=moment_of("--until", until), **more,
    )  # fmt: skip


def moment_of(option: str, text: str | None, now: datetime | None = None) -> datetime | None:
    """What somebody means by `7d`, `yesterday` or a date; local where it names no zone. Raises UsageError."""
    if text is None:
        return None
    now = now or datetime.now(UTC)
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        if match := re.fullmatch(r"(\d{1,6}(?:\.\d+)?) ?([smhdw])( ago)?", text, re.ASCII):
            return now - timedelta(**{_UNITS[match[2]]: float(match[1])})
        named = {"now": now, "today": today, "yesterday": today - timedelta(days=1)}
        return (named.get(text) or datetime.fromisoformat(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text}: need an age such as 12h or 7d, today, yesterday, or a time such as 2026-11-20T03:00"
        ) from None
