"""What is agreed with a broker of MQTT 5 at the connect: how much it may send, and what it keeps while we are away."""

from dataclasses import dataclass

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

LARGEST_PACKET = 2_000_000
"""Bytes; a broker keeps larger ones from us."""


@dataclass(frozen=True, slots=True)
class Session:
    """The broker keeps what comes while we are away, for `seconds`, and each message until we acknowledge it."""

    seconds: int
    window: int
    """Messages that may be unacknowledged at a time."""


def limits(session: Session | None) -> Properties:
    """For CONNECT."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET
    if session is not None:
        properties.SessionExpiryInterval, properties.ReceiveMaximum = session.seconds, session.window
    return properties


def forgotten() -> Properties:
    """For DISCONNECT: the session ends with the connection."""
    properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    return properties
