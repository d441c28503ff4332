"""Commands for many boxes: what they tell, gathered in one database."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sed.cli.app import app
from sed.cli.options import MqttOption, given
from sed.cli.remembering import moment_of
from sed.errors import UsageError

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="sqlite:///PATH or postgresql://USER@HOST/NAME; its password: EARWITNESS_DATABASE_PASSWORD or a file.",
        show_default="fleet.db in the state folder",
    ),
]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="The database's password is in there.")
]


@app.command()
def collect(
    mqtt: MqttOption = None,
    database: DatabaseOption = None,
    password_file: PasswordFileOption = None,
    group: Annotated[
        str | None, typer.Option(help="Collectors of one group divide the events.", show_default="each hears all")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Another one for each collector.", show_default="this computer's name")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(metavar="AGE", help="Delete older events, as 365d.", show_default="keep all")
    ] = None,
    leave: Annotated[
        bool, typer.Option("--leave", help="Take what the broker keeps for this collector, for good, and end.")
    ] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error; the log goes to stderr.")] = "info",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A TOML file; its [mqtt] and [fleet] count.")
    ] = None,
) -> None:
    """Gather the events of all boxes at a broker in one database, until stopped: SQLite, or PostgreSQL for real.

    An event is acknowledged when it is committed, and stands there once, however often it came. While the database
    or the collector is away, the broker keeps what comes, a week long: let it, with persistence true and
    max_queued_messages 0 in mosquitto.conf. What a box says that is no event is counted, in the table refusal. Tables
    are made and brought up to date at the start. examples/fleet.md has the whole way, and what to expect.

    A second collector with another name stands in for the first: both hear all. With the same --group they divide the
    events; then the share of one that is away waits for it, and Mosquitto keeps none of what comes between its own
    restart and theirs. Before one is given up for good, run it once more with --leave.

    Example: **earwitness collect --mqtt mqtt://broker --database postgresql://earwitness@db/fleet --keep 365d**

    The same as a file, for `-c`:

    ```toml
    [mqtt]
    url = "mqtts://collector@broker"
    password_file = "mqtt-password"

    [fleet]
    database = "postgresql://earwitness@db/fleet"
    password_file = "database-password"
    keep = "365d"
    ```
    """
    try:
        from sed.commands import collect as command
    except ModuleNotFoundError as error:
        raise missing(error) from error

    fleet = given(database=database, password_file=password_file, group=group, name=name, keep=keep)
    command.run(fleet_config(config, fleet, mqtt), log_level, leave)


def fleet_config(path: Path | None, fleet: dict[str, Any], mqtt: str | None = None) -> Any:
    """The configuration: a file's, and over it what the command line says of `[fleet]`."""
    from sed.config import Config, overridden
    from sed.config import load as load_file

    config = load_file(path) if path else Config()
    return overridden(config, mqtt_url=mqtt, tables={"fleet": fleet})


def missing(error: ModuleNotFoundError) -> UsageError:
    """What to install."""
    return UsageError(f"{(error.name or '').split('.')[0]} is not installed: pip install 'earwitness[fleet]'")


@app.command()
def fleet(
    database: DatabaseOption = None,
    password_file: PasswordFileOption = None,
    node: Annotated[
        list[str] | None, typer.Option("--node", metavar="PATTERN", help="Only these, as gate-*; repeatable.")
    ] = None,
    silent_after: Annotated[
        str, typer.Option(metavar="AGE", help="A box of which nothing came for so long is silent.")
    ] = "60s",
    check: Annotated[
        bool, typer.Option("--check", help="One line; exit code 1 if any is offline, silent or deaf, or none is known.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(min=0.2, max=3_600.0, metavar="SECONDS", help="With --watch: how often.")
    ] = 2.0,
    events: Annotated[bool, typer.Option("--events", help="List what they heard instead, the newest first.")] = False,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="With --events: only this label; repeatable.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="With --events: from then on, as 2h, today or 2026-11-20T03:00.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="With --events: so many at most.")] = 100,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file; its [fleet] counts.")] = None,
) -> None:
    """Show how every box stands, those in trouble first, from the database that 'earwitness collect' fills.

    A box is offline if it or its broker says so, silent if nothing came of it for long, deaf if one of its sources is
    lost, stopped, or gives no sound. Then: when it was seen last, its sources with their state and level, their events
    since midnight here and in 24 hours, the samples they lost, how far its clock is off (if by more than 5 s), messages
    that were refused since yesterday, its model.

    Example: **earwitness fleet --watch**

    For Nagios, with a line that says who: **earwitness fleet --check**

    What was heard: **earwitness fleet --events --label glass_break --since 2h**
    """
    try:
        from sed.commands import fleet as command
        from sed.fleet.heard import Sought
    except ModuleNotFoundError as error:
        raise missing(error) from error

    settings = fleet_config(config, given(database=database, password_file=password_file)).fleet
    nodes = tuple(node or ())
    if events:
        if check or watch:
            raise UsageError("fleet: --events are listed once; leave out --check and --watch, or --events")
        command.tell(settings, Sought(nodes, tuple(label or ()), moment_of("--since", since), limit), json)
        return
    silent = _seconds("--silent-after", silent_after)
    raise typer.Exit(command.run(settings, command.Wish(nodes, silent, json, check, every if watch else None)))


def _seconds(option: str, text: str) -> float:
    from pydantic import Field, TypeAdapter, ValidationError

    from sed.config.fleet import CENTURY
    from sed.values import Age

    age: TypeAdapter[float] = TypeAdapter(Annotated[Age, Field(le=CENTURY)])
    try:
        return age.validate_python(text)
    except ValidationError as error:
        raise UsageError(f"{option} {text}: need an age such as 90s or 5m") from error
