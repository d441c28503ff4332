"""Options that several commands have, and what they stand for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sed.errors import UsageError

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Recordings, folders of them, or - for stdin.")]
ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="A shipped model's name, or a path.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file: rules, model, broker.")]
ChannelOption = Annotated[str, typer.Option(help="Which channel to hear: a number from 0, or 'mix' for their mean.")]
RuleOption = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="LABEL.KEY=VALUE", help="Change a rule, as siren.on=0.7; repeatable."),
]
MqttOption = Annotated[
    str | None, typer.Option("--mqtt", metavar="URL", help="As mqtt://user@broker:1883 or mqtts://…")
]
DataOption = Annotated[Path, typer.Option("--data", help="A folder with clips.csv and the audio it names.")]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option("--label", help="A class to detect; repeatable.", show_default="siren, gun_shot, glass_break"),
]


def load(path: Path | None, model: str | None = None, rules: list[str] | None = None, mqtt: str | None = None) -> Any:
    """The configuration: a file's, and over it what the command line says."""
    from sed.config import Config, overridden
    from sed.config import load as load_file

    config = load_file(path) if path else Config()
    return overridden(config, model=model, rules=rules or [], mqtt_url=mqtt)


def channel_of(text: str) -> Any:
    """A channel's number, or `mix`; raises UsageError."""
    if text == "mix":
        return text
    if not text.isdecimal():
        raise UsageError(f"--channel {text}: need a number from 0, or 'mix'")
    return int(text)


def speed_of(text: str) -> float | None:
    """Times real time; None is as fast as the machine goes. Raises UsageError."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000.0:
        raise UsageError(f"--speed {text}: need a number from 0.01 to 1000, or 'max'")
    return speed


def check_used(command: str, needed: str, there: object, **options: object) -> None:
    """Raise UsageError if one of the options is given without what is needed for it, which is not `there`."""
    if there is None and (idle := [name.replace("_", "-") for name in given(**options)]):
        raise UsageError(f"{command}: --{idle[0]} is for {needed}; add that, or leave --{idle[0]} out")


def given(**options: Any) -> dict[str, Any]:
    """Those that were given: neither None nor an empty list."""
    return {name: value for name, value in options.items() if value not in (None, ())}
