"""The list of what is looked at, in the order in which trouble usually comes."""

from functools import partial

from sed.config import Config
from sed.doctor import access, broker, clock, configfile, disk, journal, machine, model, ports, source, unit
from sed.doctor.finding import Check

BROKER_SECONDS = 60.0
"""Three connections, each with limits of its own."""


def checks(config: Config) -> list[Check]:
    """All checks for a configuration; none of them changes anything, or disturbs a daemon that runs."""
    microphones = any(each.kind == "mic" for each in config.source)
    return [
        Check("config", partial(configfile.look, config)),
        Check("model", partial(model.look, config)),
        *([Check("sound", access.look)] if microphones else []),
        *(Check(f"source {each.name}", partial(source.look, each)) for each in config.source),
        Check("clock", clock.look),
        Check("disk", partial(disk.look, config.journal)),
        Check("journal", partial(journal.look, config.journal)),
        Check("broker", partial(broker.look, config), BROKER_SECONDS),
        Check("ports", partial(ports.look, config)),
        Check("machine", partial(machine.look, config)),
        Check("service", unit.look),
    ]
