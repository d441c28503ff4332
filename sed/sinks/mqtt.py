"""Events, states and levels over MQTT, in the topics that the design promises.

Events come from the journal, in order, and are marked there when the broker confirms them; so after an outage, or in
the next process, telling goes on where it stopped. Availability, discovery and all states are told again at every
connect, and when Home Assistant has started.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

from sed.config import MqttConfig
from sed.errors import SinkError
from sed.journal import Journal, Row, SourceState
from sed.message import Message
from sed.orders import Orders
from sed.signals import FLOOR_DBFS
from sed.sinks.connection import IN_FLIGHT, Connection, Link, Will
from sed.sinks.device import Device
from sed.sinks.follower import IDLE_SECONDS, Follower
from sed.sinks.inbox import Answer, Inbox
from sed.sinks.topics import Topics
from sed.values import check_levels

NAME = "mqtt"
"""What the journal calls this sink."""

LEVEL_SECONDS = 10.0
CATCH_UP_SECONDS = 0.02
"""Between two batches after an outage: at most 500 messages a second, so that no broker sees a stampede."""
DRAIN_SECONDS = 0.7
LAST_TURN_SECONDS = 0.3
FAREWELL_SECONDS = 0.5

_LOG = logging.getLogger(__name__)


class MqttSink:
    """Tells a broker, and goes on telling whatever happens to it.

    `sources` and `labels` are those whose ON / OFF states shall be known from the first connect on. With `orders` it
    obeys commands and is announced to Home Assistant; without, as in a rehearsal, neither. The journal has to have
    `NAME` among its sinks. Raises ConfigError if the certificates or the names cannot be used.
    """

    def __init__(
        self,
        journal: Journal,
        config: MqttConfig,
        node: str,
        sources: Sequence[str] = (),
        labels: Sequence[str] = (),
        quiet_first: bool = False,
        orders: Orders | None = None,
        told: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Start connecting and telling; does not wait for the broker.

        `quiet_first` is for an owner who calls `wait_connected` and tells the first refusal itself; `told` is called
        for each event that the broker has confirmed.
        """
        check_levels("node", node)
        check_levels("source", *sources)
        self._journal, self._config, self._orders, self._confirmed = journal, config, orders, told
        self._topics, self._sources = Topics(config.prefix, node), tuple(sources)
        self._device = Device(config, node, self._topics, self._sources, labels, orders)
        self._inbox = Inbox(self._topics, self._device.topic, self._sources, orders, journal.wake)
        self._link: Link | None = None
        self._unconfirmed: dict[int, Row | None] = {}  # message id: an event, None for a state
        self._optional: set[int] = set()  # ids of messages that a broker may refuse
        self._to_mark: list[int] = []  # seq
        self._sent = 0  # seq
        self._live_after = 0  # seq; what came before the connect does not switch labels any more
        self._next_batch = self._next_level = 0.0  # monotonic seconds
        self._told: dict[str, SourceState] = {}
        self._known: set[tuple[str, str]] = set()  # sources and labels that were introduced
        self._switched: dict[tuple[str, str], bool] = {}  # by source and label: told ON
        self._again = False
        self._connection = Connection(
            config,
            config.client_id or f"earwitness-{node}",
            Will(self._topics.availability, "offline"),
            self._inbox.topics,
            self._inbox.hear,
            changed=journal.wake,
            quiet_first=quiet_first,
            required=False,
        )
        self._follower = Follower("mqtt-sink", journal, self._turn)

    @property
    def connected(self) -> bool:
        """Whether the broker accepts us now."""
        return self._connection.link is not None

    @property
    def connects(self) -> int:
        """How often the broker has accepted us."""
        return self._connection.connects

    def wait_connected(self, timeout: float) -> None:
        """Return once the broker has accepted us. Raises SinkError if it refuses, is not there, or does not answer."""
        if refusal := self._connection.settled(timeout):
            raise SinkError(refusal.line)

    def introduce(self) -> None:
        """Tell everything again soon: what was told of the rules has changed."""
        self._again = True
        self._journal.wake()

    def drain(self, timeout: float) -> int:
        """Wait until every event is confirmed, for `timeout` seconds at most; returns how many are not."""
        until = time.monotonic() + timeout
        while True:
            seen = self._journal.changes
            left = self._journal.undelivered(NAME)
            if left == 0 or time.monotonic() >= until:
                return left
            self._journal.wait(seen, until - time.monotonic())

    def close(self) -> None:
        """Say that everything stops here and disconnect, within 2 s; what is untold stays in the journal."""
        with ExitStack() as closing:  # whatever the journal does
            closing.callback(self._connection.close)
            closing.callback(self._follower.close, LAST_TURN_SECONDS)
            closing.callback(self._save_orders, Answer(obeyed=True))
            if self.connected:
                self.drain(DRAIN_SECONDS)
            ended = self._follower.close(LAST_TURN_SECONDS)
            if ended and self._link and self._link is self._connection.link:
                self._say_farewell(self._link)
            if ended:
                self._link = None  # paho's client closes its sockets when nobody holds it

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self.close()

    def _turn(self) -> float:
        self._take_confirmed()
        link = self._connection.link
        if link is not self._link:
            self._begin(link)
        if link is None:
            return IDLE_SECONDS
        self._look_into_inbox(link)
        now = time.monotonic()
        tick = now >= self._next_level
        if tick:
            self._next_level = now + LEVEL_SECONDS
            self._tell_levels(link)
        self._tell_states(link, tick)
        for source, answer in self._inbox.answers().items():
            self._answer(link, source, answer)
        pause = self._tell_events(link)
        return min(pause, self._next_level - time.monotonic(), self._inbox.pause())

    def _begin(self, link: Link | None) -> None:
        """A new connection knows nothing: tell it who is here and how things stand."""
        self._unconfirmed.clear()
        self._optional.clear()
        self._sent = 0
        self._next_batch = 0.0
        if link is not None:
            self._live_after = self._journal.last
            self._introduce(link)
        self._link = link

    def _introduce(self, link: Link) -> None:
        sounding = self._sounding()
        self._announce(link, self._device.announcement())
        self._told.clear()
        self._switched.clear()
        self._next_level = 0.0
        self._keep(link, self._topics.availability, "online")
        self._known = self._device.labels()
        for source, label in sorted(self._known | sounding):
            self._tell_label(link, source, label, (source, label) in sounding)

    def _announce(self, link: Link, payload: str | None) -> None:
        if payload is not None:
            self._optional.add(self._keep(link, self._device.topic, payload))

    def _sounding(self) -> set[tuple[str, str]]:
        """Sources and labels of the events that are open now."""
        return {(str(event["source"]), str(event["label"])) for event in self._journal.open_events()}

    def _look_into_inbox(self, link: Link) -> None:
        if self._inbox.born or self._again:
            self._inbox.born = self._again = False
            self._introduce(link)
        if (old := self._inbox.announced()) is not None:
            self._announce(link, self._device.correction(old))

    def _answer(self, link: Link, source: str, answer: Answer) -> None:
        """Say on `state` what holds now; an error is not retained: only who listens now hears of it."""
        self._save_orders(answer)
        if self._known != self._device.labels():
            self._introduce(link)
        state = next((state for state in self._journal.states() if state.source == source), None)
        if state is not None and answer.obeyed:
            self._tell_state(link, state)
        if answer.error:
            document = {**(self._state_document(state) if state else {}), "error": answer.line}
            link.publish(self._topics.state(source), json.dumps(document, ensure_ascii=False))

    def _save_orders(self, answer: Answer) -> None:
        try:
            if self._orders and answer.obeyed:
                self._orders.save()
        except SinkError as error:
            answer.add(str(error))
            _LOG.error("%s", error)

    def _tell_events(self, link: Link) -> float:
        """Send what the broker has room for; returns the seconds to wait before the next batch of a backlog."""
        while room := IN_FLIGHT - sum(row is not None for row in self._unconfirmed.values()):
            pause = self._next_batch - time.monotonic()
            if self._sent < self._live_after and pause > 0:
                return pause
            rows = self._journal.pending(NAME, self._sent, room)
            if not rows:
                break
            self._next_batch = time.monotonic() + CATCH_UP_SECONDS
            for row in rows:
                self._tell_event(link, row)
        return IDLE_SECONDS

    def _tell_event(self, link: Link, row: Row) -> None:
        source, label = str(row.message["source"]), str(row.message["label"])
        late = {"late": True} if time.time() - row.at > self._config.max_age else {}
        payload = json.dumps({**row.message, **late}, ensure_ascii=False)
        self._unconfirmed[link.publish(self._topics.event(source), payload)] = row
        self._sent = row.seq
        if row.seq > self._live_after:
            self._tell_label(link, source, label, row.message["phase"] == "start")
        elif (source, label) not in self._switched:  # known to an earlier process: it may have left an ON behind
            self._tell_label(link, source, label, sounding=False)

    def _tell_label(self, link: Link, source: str, label: str, sounding: bool) -> None:
        self._keep(link, self._topics.label(source, label), "ON" if sounding else "OFF")
        self._switched[source, label] = sounding

    def _tell_states(self, link: Link, tick: bool) -> None:
        """What has changed; a mere count of dropped samples can wait for the next tick."""
        for state in self._journal.states():
            told = self._told.get(state.source)
            news = told is None or (told.state, told.model) != (state.state, state.model)
            if news or (tick and told and told.dropped_samples != state.dropped_samples):
                self._tell_state(link, state)

    def _tell_state(self, link: Link, state: SourceState) -> None:
        self._keep(link, self._topics.state(state.source), json.dumps(self._state_document(state), ensure_ascii=False))
        self._told[state.source] = state

    def _state_document(self, state: SourceState) -> dict[str, Any]:
        orders = self._orders.differing(state.source) if self._orders else {}
        document = {"state": state.state, "dropped_samples": state.dropped_samples, "model": state.model}
        return {**document, "orders": orders} if orders else document

    def _tell_levels(self, link: Link) -> None:
        for state in self._journal.states():
            if state.state in ("hearing", "silent"):
                level = round(max(FLOOR_DBFS, state.level_dbfs), 1) + 0.0  # no -0.0
                link.publish(self._topics.level(state.source), f"{level:.1f}", qos=0)

    def _keep(self, link: Link, topic: str, payload: str) -> int:
        """Publish a retained state; returns its message id."""
        mid = link.publish(topic, payload, retain=True)
        self._unconfirmed[mid] = None
        return mid

    def _take_confirmed(self) -> None:
        """Mark in the journal what the broker has confirmed, and hang up on one that refuses what it has to take."""
        while self._link and self._link.confirmed:
            mid = self._link.confirmed.popleft()
            self._optional.discard(mid)
            if row := self._unconfirmed.pop(mid, None):
                self._to_mark.append(row.seq)
                self._confirmed(row.message)
        while self._link and self._link.refused:
            mid, refusal = self._link.refused.popleft()
            self._unconfirmed.pop(mid, None)
            if mid in self._optional:
                self._optional.remove(mid)
                _LOG.warning("%s; Home Assistant's discovery is not told (mqtt.discovery = false)", refusal.line)
            else:
                self._connection.give_up(self._link, refusal)
        if self._to_mark:
            self._journal.mark(NAME, *self._to_mark)
            self._to_mark.clear()

    def _say_farewell(self, link: Link) -> None:
        for (source, label), sounding in sorted(self._switched.items()):
            if sounding:
                self._tell_label(link, source, label, sounding=False)
        for state in self._journal.states():
            if (told := self._told.get(state.source)) is None or told.state != "stopped":
                self._tell_state(link, replace(state, state="stopped"))
        self._keep(link, self._topics.availability, "offline")
        until = time.monotonic() + FAREWELL_SECONDS
        while self._connection.link is link and time.monotonic() < until:
            seen = self._journal.changes
            self._take_confirmed()
            if not self._unconfirmed:
                break
            self._journal.wait(seen, until - time.monotonic())
