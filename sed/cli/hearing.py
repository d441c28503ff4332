"""Commands that hear: recordings, microphones, brokers."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sed.cli.app import app
from sed.cli.options import (
    ChannelOption,
    ConfigOption,
    ModelOption,
    MqttOption,
    Paths,
    RuleOption,
    channel_of,
    load,
    speed_of,
)
from sed.errors import UsageError


@app.command()
def detect(
    paths: Paths,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(
            "--format", "-f", help="table, tsv, jsonl, audacity or raven.", show_default="table on a terminal, else tsv"
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Keep the frame scores here, as sed_scores_eval reads them; a folder for several recordings."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw spectrogram, scores and events here (PNG); a folder for several recordings."),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find the events in recordings, as fast as the machine goes.

    Example: **earwitness detect street.wav --plot street.png**
    """
    from sed.commands import detect as command

    found = command.run(paths, format, scores, plot, channel_of(channel), load(config, model, rule), quiet=quiet)
    raise typer.Exit(found)


@app.command()
def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording.")],
    plot: Annotated[
        Path | None, typer.Option(help="Draw the evidence for one event or rejected candidate here (PNG, SVG or PDF).")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="The moment to explain.", show_default="the best event, else the nearest"),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Look at this label only.")] = None,
    nearest: Annotated[int, typer.Option(min=0, help="How many rejected candidates to list.")] = 10,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option("--format", "-f", help="table, tsv or jsonl.", show_default="table on a terminal, else tsv"),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Say why there was an event, or which rule rejected it and by how much; and draw what the score rests on.

    Example: **earwitness explain street.wav --plot why.png --at 19.5**
    """
    from sed.commands import explain as command

    wish = command.Wish(at, label, plot, nearest, format)
    raise typer.Exit(command.run(file, channel_of(channel), load(config, model, rule), wish))


@app.command()
def replay(
    paths: Paths,
    mqtt: MqttOption = None,
    speed: Annotated[
        str, typer.Option(help="1 paces it like a microphone; 10 is ten times that; max is flat out.")
    ] = "1",
    loop: Annotated[bool, typer.Option("--loop", help="Begin again after the last one, until stopped.")] = False,
    start_time: Annotated[
        datetime | None,
        typer.Option(
            help="When the recording began (UTC unless it names a zone).",
            show_default="now",
            formats=[
                "%Y-%m-%d",
                "%Y-%m-%dT%H:%M:%S",
                "%Y-%m-%dT%H:%M:%SZ",
                "%Y-%m-%dT%H:%M:%S%z",
                "%Y-%m-%dT%H:%M:%S.%f%z",
            ],
        ),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(help="The node's name in topics and messages.", show_default="the configured one and -replay"),
    ] = None,
    source: Annotated[str, typer.Option(help="The source's name in topics and messages.")] = "replay",
    lines: Annotated[
        Path | None,
        typer.Option("--lines", metavar="FILE", help="Append the JSON lines to this file.", show_default="stdout"),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the journal here; untold messages go first next time.", show_default="none kept"
        ),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Play recordings through the whole daemon: ring, journal, JSON lines on stdout, and MQTT if a broker is named.

    Example: **earwitness replay street.wav --mqtt mqtt://localhost --speed 10**
    """
    from sed.commands import replay as command

    done = command.run(
        paths, load(config, model, rule, mqtt), channel_of(channel), speed=speed_of(speed), loop=loop,
        start_time=start_time, node=node, source=source, lines=lines, journal=journal,
    )  # fmt: skip
    raise typer.Exit(done)


@app.command()
def run(
    check: Annotated[bool, typer.Option("--check", help="Say whether the configuration can be used, and end.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error; the log goes to stderr.")] = "info",
    mqtt: MqttOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Listen until stopped: to the default microphone, or to the sources of a file; JSON lines on stdout, and MQTT.

    SIGHUP reads the file again without losing a sample: rules, thresholds and broker. SIGTERM or Ctrl-C ends it.

    Example: **earwitness run -c /etc/earwitness/earwitness.toml**
    """
    from sed.commands import run as command

    raise typer.Exit(command.run(lambda: load(config, model, rule, mqtt), check=check, log_level=log_level))


@app.command()
def watch(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="The broker, as mqtt://localhost:1883.")] = None,
    node: Annotated[str, typer.Option(help="Only this node.")] = "+",
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many alerts.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a message instead of words.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show alerts as they come: when, who, what, how long, how sure. Reconnects by itself; Ctrl-C ends it.

    Example: **earwitness watch mqtt://localhost**
    """
    from sed.commands import watch as command

    command.run(load(config, mqtt=url), node=node, count=count, as_json=json)


@app.command()
def devices(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="With --meter: these microphones only.")
    ] = None,
    meter: Annotated[bool, typer.Option("--meter", help="Show live levels as bars, until Ctrl-C.")] = False,
) -> None:
    """List the microphones that can be opened as mic:NAME, and those that cannot with the reason.

    Example: **earwitness devices --meter**
    """
    from sed.commands import devices as command

    if meter:
        command.meter(names or [])
        return
    if names:
        raise UsageError("devices: names are for --meter; add it, or leave them out")
    raise typer.Exit(command.show())


@app.command()
def demo(
    model: ModelOption = None,
    page: Annotated[
        bool | None,
        typer.Option("--page/--no-page", help="Keep the page open until Ctrl-C.", show_default="on a terminal"),
    ] = None,
) -> None:
    """Hear a street: a private broker, a second client, every alert with its delay, and a page to see and hear it.

    Example: **earwitness demo**
    """
    from sed.commands import demo as command

    raise typer.Exit(command.run(load(None, model), page))
