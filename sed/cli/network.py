"""Commands over ZeroMQ: to listen to other daemons, to send them sound, and the keys for that."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sed.cli.app import app
from sed.cli.options import ChannelOption, channel_of, load


@app.command()
def listen(
    url: Annotated[str, typer.Argument(metavar="[URL]", help="As [zmq] publish says.")] = "tcp://127.0.0.1:5556",
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this source.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Show alerts as lines, and stop after so many.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a message: scores, levels, alerts.")] = False,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Our own secret key, if the publisher wants to know us.")
    ] = None,
    server_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The publisher's public key.")] = None,
) -> None:
    """Show live what a daemon hears: levels, the highest scores with their thresholds, last alerts, losses.

    The daemon's config needs [zmq] publish = "tcp://127.0.0.1:5556". On a terminal these are bars, else the alerts
    as lines. Ctrl-C ends it.

    Example: **earwitness listen --source yard**
    """
    from sed.commands import listen as command

    command.run(url, source, key, server_key, command.Wish(json, count))


@app.command()
def keys(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="Writes NAME.key, which is secret, and NAME.pub.")],
) -> None:
    """Make a pair of keys for ZeroMQ beyond this computer, and say what to copy where.

    Example: **earwitness keys gate**
    """
    from sed.commands import keys as command

    command.run(name)


@app.command()
def satellite(
    to: Annotated[str, typer.Option("--to", metavar="tcp://HOST:PORT", help="The box, at its zmq+tcp:// source.")],
    source: Annotated[
        str, typer.Option(metavar="URL", help="mic:NAME, file:PATH, rtsp://..., or - for stdin.")
    ] = "mic:",
    name: Annotated[
        str | None, typer.Option(help="As the box's [[source]] is named.", show_default="this computer's name")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Our own secret key.")] = None,
    server_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The box's public key.")] = None,
    channel: ChannelOption = "0",
    gain: Annotated[float, typer.Option(metavar="DB", min=-60.0, max=60.0, help="Made louder by so much.")] = 0.0,
    rate: Annotated[
        int, typer.Option(metavar="HZ", min=8_000, max=48_000, help="As the box's model wants it.")
    ] = 16_000,
    float32: Annotated[bool, typer.Option("--float32", help="Send 64 kB/s, not 32: for very quiet sound.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Only its [privacy] counts: audio = false sends nothing.")
    ] = None,
) -> None:
    """Send a microphone's sound to a box that listens to it; nothing is detected here.

    The box needs a [[source]] with url = "zmq+tcp://0.0.0.0:5557", named as --name says. What was heard while the box
    was away, 30 s of it, is sent later. Times of events come from here. Beyond this computer both sides need keys:
    'earwitness keys' makes them, and the box's secret_key_file and allowed_keys are in its [zmq].

    Example: **earwitness satellite --to tcp://box:5557 --name gate --key gate.key --server-key box.pub**
    """
    from sed.commands import satellite as command

    form: Any = "float32" if float32 else "int16"
    wish = command.Wish(to, source, name, key, server_key, channel_of(channel), gain, rate, form)
    raise typer.Exit(command.run(wish, load(config)))
