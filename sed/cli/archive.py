"""Archives: recordings by the thousand hours."""

from pathlib import Path
from typing import Annotated

import typer

from sed.cli.app import app
from sed.cli.options import ChannelOption, ConfigOption, ModelOption, RuleOption, channel_of, load
from sed.errors import UsageError


@app.command()
def scan(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Folders, globs in quotes (`'2026/*/*.flac'`), recordings, or URLs that fsspec knows (s3://bucket/folder).",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The tables go here; a scan that was stopped goes on there.")
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A CSV with a column path, or a text file with a path a line; repeatable."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes on this machine.", show_default="one a core")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Work on this Ray cluster instead; 'local' tries it out here.")
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(
            metavar="STRPTIME",
            help="How names tell when recordings began, as %Y%m%d-%H%M; '%Y/%m/%d/%H%M%S' looks at the folders too.",
            show_default="the usual ways, and headers",
        ),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Of the times that name none, as Europe/Berlin.")] = "UTC",
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            help="A recording that takes longer is given up.",
            show_default="60, and 10 a MB",
        ),
    ] = None,
    split: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1.0,
            help="Share long WAV and FLAC files out in pieces; what that changes is measured and printed.",
            show_default="recordings stay whole",
        ),
    ] = None,
    warm_up: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Heard before each piece and not counted.")
    ] = 30.0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Scan those again that failed before.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary/--no-summary", help="A page with pictures in DIR/summary.")
    ] = True,
    summary_only: Annotated[
        bool, typer.Option("--summary-only", help="Scan nothing; make the page of what is in DIR.")
    ] = False,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Scan an archive into two Parquet tables: DIR/events, a row an event, and DIR/files, a row a recording.

    Killed or stopped, the same command goes on where it was: no row is there twice, none is missing. A recording that
    cannot be read, hangs, or kills its worker is a row with its status and error. Events have absolute times where a
    recording's header, its name or --time-format says when it began. DuckDB and pandas read a folder as one table.

    Example: **earwitness scan /mnt/archive --out found**

    And then: `duckdb -c "select label, count(*) from 'found/events/*.parquet' group by label"`
    """
    from sed.commands import scan as command

    if out is None:
        raise UsageError("scan: needs --out DIR, a folder for the tables")
    wish = command.Wish(
        out, tuple(sources or ()), tuple(manifest or ()), workers=workers, ray=ray, time_format=time_format,
        timezone=timezone, time_limit=time_limit, split=split, warm_up=warm_up, channel=channel_of(channel),
        retry_failed=retry_failed, summary=summary, summary_only=summary_only, quiet=quiet,
    )  # fmt: skip
    raise typer.Exit(command.run(wish, load(config, model, rule)))
