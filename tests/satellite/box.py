"""A box and its satellites in one process, for tests: real sockets on this computer, sound that a test writes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np

from sed.config import SourceConfig
from sed.curve import Keys, PublicKey
from sed.doorkeeper import Admission
from sed.message import Clock
from sed.ring import RingBuffer
from sed.satellite.inlet import Inlet
from sed.satellite.port import Ports
from sed.satellite.sender import Sender
from sed.signals import Block, Floats, State
from tests.broker import free_port
from tests.toy import RATE

STOP_SECONDS = 60.0
"""Machines are busy."""


class Mouth:
    """A source that says what a test wants."""

    def __init__(self, behind: float = 0.0) -> None:
        """Its clock is so many seconds behind."""
        self.ring = RingBuffer(10 * RATE)
        self.clock = Clock(datetime.fromtimestamp(time.time() - behind, UTC), RATE)
        self.state: State = "hearing"
        self.reason = ""

    def stop(self) -> None:
        self.ring.close()


class Satellite:
    """A sender in a thread."""

    def __init__(
        self, address: str, name: str = "gate", keys: tuple[Keys, PublicKey] | None = None, behind: float = 0.0
    ) -> None:
        self.mouth = Mouth(behind)
        self.sender = Sender(name, self.mouth, self.mouth.ring, address, keys)
        self._thread = threading.Thread(target=self.sender.run, name=f"satellite {name}")

    def say(self, samples: Floats) -> None:
        """As fast as the ring is emptied."""
        for at in range(0, len(samples), RATE):
            part = samples[at : at + RATE]
            assert self.mouth.ring.wait_for_room(len(part), STOP_SECONDS)
            self.mouth.ring.write(part)

    def end(self) -> None:
        """The sound is over; returns when the box has it."""
        self.mouth.ring.close()
        self._thread.join(2 * STOP_SECONDS)
        assert not self._thread.is_alive()

    def __enter__(self) -> "Satellite":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.sender.stop()
        self._thread.join(STOP_SECONDS)


class Box:
    """Sources for satellites that share one address."""

    def __init__(self, *names: str, address: str = "", admission: Admission | None = None) -> None:
        self.address = address or f"tcp://127.0.0.1:{free_port()}"
        self.ports = Ports(admission)
        self.rings = {name: RingBuffer(10 * RATE) for name in names}
        url = f"zmq+{self.address}"
        self.inlets = {
            name: self.ports.open(SourceConfig(name=name, url=url), ring, RATE) for name, ring in self.rings.items()
        }

    @property
    def inlet(self) -> Inlet:
        return next(iter(self.inlets.values()))

    @property
    def ring(self) -> RingBuffer:
        return next(iter(self.rings.values()))

    def heard(self, name: str = "") -> list[Block]:
        """What has come since the last call."""
        ring, blocks = self.rings[name] if name else self.ring, list[Block]()
        while (block := ring.poll(1, RATE)) is not None:
            blocks.append(block)
        return blocks

    def __enter__(self) -> "Box":
        for inlet in self.inlets.values():
            inlet.start()
        return self

    def __exit__(self, *exc: object) -> None:
        for inlet in self.inlets.values():
            inlet.stop()
        for inlet in self.inlets.values():
            inlet.join(STOP_SECONDS)


def joined(blocks: list[Block]) -> Floats:
    return np.concatenate([block.samples for block in blocks]) if blocks else np.zeros(0, np.float32)


@contextmanager
def talking(*names: str) -> Iterator[tuple[Box, Satellite]]:
    """A box with these sources, and a satellite for the first."""
    with Box(*names) as box, Satellite(box.address, names[0]) as satellite:
        yield box, satellite
