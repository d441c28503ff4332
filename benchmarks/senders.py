"""The boxes of `benchmarks.boxes` on a real broker: a few MQTT connections that carry many, or one for each.

    python -m benchmarks.senders mqtt://127.0.0.1:1883 [--boxes 100] [--minutes 1] [--own-connections]

To try `earwitness collect` and `earwitness fleet` without boxes. Never let it tell a broker whose word others act upon.
"""

import argparse
import resource
import selectors
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from benchmarks.boxes import Box, Sending, fleet, in_order
from sed.config import MqttConfig

IN_FLIGHT = 20
"""Unconfirmed messages of a connection: what Mosquitto allows by default."""
MOST_UNCONFIRMED = 1_000
"""Messages, where the broker sets the pace."""
RETRY_SECONDS = 0.5
MISC_SECONDS = 5.0
LOOK_SECONDS = 0.002
"""Confirmations are looked after so often, however much there is to send."""

SENT = struct.Struct("<26s5sd")
"""Of the file that --sent writes: an event's id, `start` or `end`, and when it was handed to paho (Unix time)."""

Sent = Callable[[Sending, float], object]


class Senders:
    """Real MQTT 5 connections, all looked after by the thread that calls; nodes are dealt out to them in turn.

    A connection that breaks is made again, and what was unconfirmed is sent again. Those with a connection of their
    own have a will. Raises OSError if the broker is not there at first.
    """

    def __init__(self, mqtt: MqttConfig, boxes: Sequence[Box], connections: int) -> None:
        self._mqtt, self._selector = mqtt, selectors.DefaultSelector()
        self._lost: dict[Client, float] = {}  # monotonic seconds of the next try
        self._stuck: set[Client] = set()
        self._next_misc = 0.0
        self._waiting: set[tuple[Client, int]] = set()  # for a confirmation, by message id
        count = min(connections, len(boxes))
        self._clients = [self._client(box, own=connections >= len(boxes)) for box in boxes[:count]]
        self._by_node = {box.topics.root: self._clients[n % count] for n, box in enumerate(boxes)}

    def send(self, sending: Sending) -> None:
        """Hand it over to its box's connection; what does not go out now does so in a later turn."""
        client = self._by_node["/".join(sending.topic.split("/", 2)[:2])]
        told = client.publish(sending.topic, sending.encoded(), sending.qos, sending.retain)
        if sending.qos:
            self._waiting.add((client, told.mid))
        if client.want_write():
            self._stuck.add(client)

    def turn(self, seconds: float) -> None:
        """Read what has come, waiting so long for something; write what is stuck, mend what is broken."""
        for key, _ in self._selector.select(min(seconds, LOOK_SECONDS) if self._stuck else seconds):
            self._look(key.data, key.data.loop_read())
        for client in list(self._stuck):
            self._look(client, client.loop_write())
            if not client.want_write():
                self._stuck.discard(client)
        now = time.monotonic()
        for client in [client for client, due in self._lost.items() if due <= now]:
            self._reconnect(client)
        if now >= self._next_misc:
            self._next_misc = now + MISC_SECONDS
            for client in self._clients:
                client.loop_misc()

    def wait(self, moment: datetime) -> None:
        """Send nothing before that."""
        while (left := (moment - datetime.now(UTC)).total_seconds()) > 0.0:
            self.turn(min(left, MISC_SECONDS))

    @property
    def unconfirmed(self) -> int:
        """Messages of QoS 1 that the broker has not confirmed yet."""
        return len(self._waiting)

    def drain(self, seconds: float) -> int:
        """Wait for all confirmations, so long at most; returns how many are missing."""
        until = time.monotonic() + seconds
        while self.unconfirmed and time.monotonic() < until:
            self.turn(0.05)
        return self.unconfirmed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Say goodbye: no will is told."""
        for client in self._clients:
            client.disconnect()
        self._selector.close()

    def _client(self, box: Box, own: bool) -> Client:
        name = box.node if own else f"{box.node} and others"
        client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5)
        client.max_inflight_messages = IN_FLIGHT
        client.username_pw_set(self._mqtt.user, self._mqtt.secret())
        client.on_socket_open, client.on_socket_close = self._opened, self._closed
        client.on_publish = self._confirmed
        if own:
            client.will_set(box.topics.availability, b"offline", qos=1, retain=True)
        client.connect(self._mqtt.host, self._mqtt.port, keepalive=60)
        return client

    def _opened(self, client: Client, _data: Any, sock: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, client)

    def _closed(self, _client: Client, _data: Any, sock: Any) -> None:
        self._selector.unregister(sock)

    def _confirmed(self, client: Client, _data: Any, mid: int, *_: Any) -> None:
        self._waiting.discard((client, mid))

    def _look(self, client: Client, result: MQTTErrorCode) -> None:
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.setdefault(client, time.monotonic() + RETRY_SECONDS)

    def _reconnect(self, client: Client) -> None:
        try:
            client.reconnect()
            del self._lost[client]
        except OSError:
            self._lost[client] = time.monotonic() + RETRY_SECONDS


def tell(
    sendings: Iterable[Sending],
    senders: Senders,
    speed: float | None = 1.0,
    sent: Sent = lambda *_: None,
    began: float | None = None,
) -> float:
    """Send each at its time, or as fast as the broker confirms (`speed` None); returns the most seconds it was behind.

    `sent` learns the Unix time of each; `began` is when that of the first was (monotonic), now if it is not said.
    """
    looked = time.monotonic()
    began, behind = looked if began is None else began, 0.0
    for sending in sendings:
        now = time.monotonic()
        due = began + sending.at / speed if speed else now
        behind = max(behind, now - due)
        while due > now or (speed is None and senders.unconfirmed > MOST_UNCONFIRMED):
            senders.turn(max(due - now, LOOK_SECONDS))
            now = looked = time.monotonic()
        if now > looked + LOOK_SECONDS:
            senders.turn(0.0)
            looked = now
        sent(sending, time.time())
        senders.send(sending)
    return behind


def main() -> None:
    """Tell a broker, at speed 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", metavar="URL", help="the broker, as mqtt://127.0.0.1:1883")
    parser.add_argument("--boxes", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--pace", type=float, default=1.0, help="events a second of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin", type=datetime.fromisoformat, default=datetime.now(UTC), help="of their clocks")
    parser.add_argument("--connections", type=int, default=8, help="that carry them")
    parser.add_argument("--part", default="1/1", metavar="N/M", help="one of M processes that divide the boxes")
    parser.add_argument("--own-connections", action="store_true", help="one for each box, with its will")
    parser.add_argument("--sent", type=Path, metavar="FILE", help="write when which event message was sent")
    arguments = parser.parse_args()
    part, parts = map(int, arguments.part.split("/"))
    boxes = fleet(arguments.boxes, arguments.seed, arguments.begin, 60.0 * arguments.minutes, pace=arguments.pace)
    boxes = boxes[part - 1 :: parts]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection takes three handles
    count = len(boxes) if arguments.own_connections else arguments.connections
    with ExitStack() as opened:
        note = noted(opened.enter_context(arguments.sent.open("wb"))) if arguments.sent else lambda *_: None
        senders = opened.enter_context(Senders(MqttConfig(url=arguments.url), boxes, count))
        senders.wait(arguments.begin)
        late = (datetime.now(UTC) - arguments.begin).total_seconds()
        behind = tell(in_order(boxes), senders, sent=note, began=time.monotonic() - late)
        print(f"senders {arguments.part}: {1000.0 * behind:.0f} ms behind at most", flush=True)
        if missing := senders.drain(60.0):
            raise SystemExit(f"the broker has not confirmed {missing} messages")


def noted(file: Any) -> Sent:
    """Writes down the event messages among them."""

    def note(sending: Sending, at: float) -> None:
        if event := sending.event:
            file.write(SENT.pack(str(event["id"]).encode(), str(event["phase"]).encode(), at))

    return note


if __name__ == "__main__":
    main()
