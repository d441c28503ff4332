"""`[privacy]`: what must not be kept or sent, whatever else is set."""

from sed.metadata import Settings


class PrivacyConfig(Settings):
    """What must not be kept or sent, whatever else is set."""

    audio: bool = True
    """Whether sound itself may leave this program's memory: to a disk or a network."""
