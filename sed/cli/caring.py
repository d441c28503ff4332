"""Commands that look after an installation."""

from typing import Annotated

import typer

from sed.cli.app import app
from sed.cli.options import ConfigOption, ModelOption, MqttOption, RuleOption, load


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    mqtt: MqttOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
) -> None:
    """Look for what may keep it from hearing or telling, and say what to do: nothing is changed, no daemon disturbed.

    Model, microphones and other sources (opened for two seconds), permissions, levels, clock, disk, journal, broker,
    ports, speed, memory, systemd. Each line is ok, warning or failed. Exit code 0: nothing failed; 1: something did.

    Example: **earwitness doctor -c /etc/earwitness/earwitness.toml**
    """
    from sed.commands import doctor as command

    raise typer.Exit(command.run(load(config, model, mqtt=mqtt), as_json=as_json))


@app.command()
def selftest(
    speaker: Annotated[
        bool, typer.Option("--speaker", help="Play it on a loudspeaker and listen by the microphone: the air as well.")
    ] = False,
    output: Annotated[
        str | None, typer.Option(metavar="NAME", help="The loudspeaker.", show_default="the default one")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The [[source]] that listens.", show_default="the first microphone"),
    ] = None,
    mqtt: MqttOption = None,
    model: ModelOption = None,
    rule: RuleOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a siren sound and wait for its alert as another client would: says how long it took from onset to message.

    It is told as node NODE-selftest, source selftest, from a journal of its own, and leaves nothing at the broker; a
    daemon that runs is not disturbed. With --speaker it hears the siren, too, and alerts as it should. Exit code 0:
    the alert came and ended; 1: it did not.

    Example: **earwitness selftest -c /etc/earwitness/earwitness.toml**
    """
    from sed.commands import selftest as command

    raise typer.Exit(command.run(load(config, model, rule, mqtt), speaker=speaker, output=output, source=source))
