"""One connection to an MQTT broker, made again and again for as long as it is wanted."""

import contextlib
import logging
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTv5,
    MQTTv311,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sed.config import MqttConfig
from sed.errors import EarwitnessError
from sed.sinks.refusals import Refusal, of_code, of_error, of_loss, of_silence
from sed.sinks.session import Session, forgotten, limits
from sed.sinks.tls import tls_context

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
LOOK_SECONDS = 0.5
"""The longest the network thread sleeps: keep-alive and closing are looked after so often."""
CLOSE_SECONDS = 0.5
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
STEADY_SECONDS = 10.0
"""A connection that lasted so long was a good one: the next retry comes soon again."""
IN_FLIGHT = 10
"""Messages the broker has not confirmed yet; HiveMQ hangs up at more than this by default."""

_WITH_WILL = 4  # DISCONNECT's reason code for "tell my will all the same"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker tells the others when this connection breaks; retained, QoS 1."""

    topic: str
    payload: str


@dataclass(eq=False, slots=True)
class Link:
    """A connection the broker has accepted; there is a new one after every outage."""

    client: Client
    began: float = field(default_factory=time.monotonic)
    confirmed: deque[int] = field(default_factory=deque)  # message ids, for the publisher to take
    refused: deque[tuple[int, Refusal]] = field(default_factory=deque)  # as well

    def publish(self, topic: str, payload: str, qos: int = 1, retain: bool = False) -> int:
        """Hand a message to the network thread; returns its id, which comes back in `confirmed`."""
        return self.client.publish(topic, payload.encode(), qos=qos, retain=retain).mid


class Connection:
    """Connects, and after every loss connects again, with back-off and jitter, in a thread of its own.

    `link` is set while the broker accepts us and our subscriptions; `refusal` says why it does not. Each new reason is
    logged once. `changed` is called in the network thread after every change and confirmation, `heard` for every
    message on `topics`.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        will: Will | None = None,
        topics: Sequence[str] = (),
        heard: Callable[[MQTTMessage], None] | None = None,
        changed: Callable[[], None] = lambda: None,
        log: logging.Logger = _LOG,
        quiet_first: bool = False,
        required: bool = True,
        session: Session | None = None,
    ) -> None:
        """Start connecting. Raises ConfigError if the certificates cannot be used.

        `quiet_first` is for an owner who asks `settled` and tells the first refusal itself. Where `topics` are not
        `required`, a broker that refuses one of them is good enough all the same. In a `session` nothing is
        acknowledged but by `acknowledge`.
        """
        self.link: Link | None = None
        self.refusal: Refusal | None = None
        self.connects = 0
        """How often the broker has accepted us."""
        self.resumed = False
        """Whether it still had our session: then it sends again what was not acknowledged."""
        self._config, self._client_id, self._will = config, client_id, will
        self._topics, self._heard, self._changed, self._log = list(topics), heard, changed, log
        if config.tls:
            tls_context(config)  # that it cannot be used is better known now
        self._quiet, self._required, self._session = quiet_first, required, session
        self._told: Refusal | None = None  # to the log
        self._window = IN_FLIGHT
        self._attempt = _Attempt(0)  # the network thread's own
        self._news = threading.Condition()
        self._closing = threading.Event()
        self._leave_by = float("inf")  # monotonic seconds
        self._thread = threading.Thread(target=self._keep_connected, name="mqtt-connection", daemon=True)
        self._thread.start()

    def settled(self, timeout: float) -> Refusal | None:
        """Wait until the broker has accepted or refused us, or does not answer; None means accepted."""
        with self._news:
            self._news.wait_for(lambda: self.link or self.refusal, timeout)
            return None if self.link else self.refusal or of_silence(self._config)

    @property
    def attempt(self) -> int:
        """How often it was tried to connect: what one attempt delivers can be acknowledged in that one only."""
        return self._attempt.number

    def acknowledge(self, attempt: int, ids: Iterable[int]) -> None:
        """Let go of messages, in the order in which they came; after a new attempt the broker sends them again."""
        current = self._attempt
        if current.number == attempt and current.client is not None:
            for mid in ids:
                current.client.ack(mid, 1)

    def give_up(self, link: Link, refusal: Refusal) -> None:
        """Hang up on a broker that lets us in and then takes nothing; a later attempt may fare better."""
        if self._attempt.link is link:
            self._hang_up(link.client, refusal)

    def close(self, timeout: float = CLOSE_SECONDS, forget: bool = False) -> None:
        """Say goodbye and end the thread; one that is held up by a name server or a firewall is left to itself.

        The broker keeps a session, unless it shall `forget` it.
        """
        self._leave_by = time.monotonic() + timeout
        self._closing.set()
        if link := self.link:
            link.client.disconnect(properties=forgotten() if forget else None)
        self._thread.join(timeout + LOOK_SECONDS)

    def _keep_connected(self) -> None:
        tries = 0
        while not self._closing.is_set():
            lasted = self._connect_once(again=tries > 0)
            tries = 0 if lasted > STEADY_SECONDS else tries + 1
            self._closing.wait(_pause(tries))

    def _connect_once(self, again: bool) -> float:
        """One connection from its beginning to its end; returns the seconds for which the broker accepted it."""
        self._attempt = attempt = _Attempt(self._attempt.number + 1)
        try:
            attempt.client = client = self._client()
            wanted = limits(self._session) if self._config.protocol == "5" else None
            where = (self._config.host, self._config.port, self._config.keep_alive)
            clean = False if self._session else MQTT_CLEAN_START_FIRST_ONLY
            client.connect(*where, clean_start=clean, properties=wanted)
            self._loop(client)
        except (OSError, ValueError, EarwitnessError) as error:
            attempt.refusal = of_error(self._config, error)
        lasted = time.monotonic() - attempt.link.began if attempt.link else 0.0
        if not self._closing.is_set() and not attempt.again:
            gone = of_loss(self._config, again) if attempt.link else of_silence(self._config)
            self._refused(attempt.refusal or gone)
        attempt.client = None  # who acknowledges now is too late
        self._attempt = _Attempt(attempt.number)  # lets go of paho's client: it closes its sockets when nobody holds it
        return lasted

    def _loop(self, client: Client) -> None:
        answer_by = time.monotonic() + ANSWER_SECONDS
        while client.socket() and client.loop(LOOK_SECONDS) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            now = time.monotonic()
            if now > self._leave_by or (now > answer_by and self._attempt.link is None):
                break
        self._settle(None, self.refusal)
        if sock := client.socket():
            with contextlib.suppress(OSError):
                sock.close()

    def _client(self) -> Client:
        config = self._config
        protocol = MQTTv5 if config.protocol == "5" else MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            protocol=protocol,
            reconnect_on_failure=False,
            manual_ack=self._session is not None,
        )
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages = self._window
        client.username_pw_set(config.user, config.secret())
        if config.tls:
            client.tls_set_context(tls_context(config))  # as the files are now: certificates are renewed
        if self._will:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        client.on_socket_open = _no_delay
        client.on_socket_register_write = _leave_to_loop
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_subscribe = self._on_publish, self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: Client, _data: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._attempt.refusal = of_code(self._config, code)
            return
        self.resumed = flags.session_present
        window = getattr(properties, "ReceiveMaximum", self._window)
        if window < self._window:  # paho takes a smaller window only before it connects
            self._window, self._attempt.again = window, True
            client.disconnect()
            return
        if self._topics:  # not connected before the broker has said that it sends them: until then one may be missed
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._accepted(client)

    def _accepted(self, client: Client) -> None:
        level = logging.WARNING if self._told else logging.INFO
        self._told, self._quiet = None, False
        self._log.log(level, "broker %s:%d: connected", self._config.host, self._config.port)
        self._attempt.link = Link(client)
        self.connects += 1
        self._settle(self._attempt.link, None)

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server and self._attempt.refusal is None:
            self._attempt.refusal = of_code(self._config, code)
        self._settle(None, self.refusal)

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if (link := self._attempt.link) is None:
            return
        if code.is_failure:
            link.refused.append((mid, of_code(self._config, code, " to publish")))
        else:
            link.confirmed.append(mid)
        self._changed()

    def _on_subscribe(
        self, client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [(topic, code) for topic, code in zip(self._topics, codes, strict=False) if code.is_failure]
        if refused and self._required:
            self._hang_up(client, of_code(self._config, refused[0][1], " to subscribe"))
            return
        for topic, code in refused:
            self._log.warning("%s; done without", of_code(self._config, code, f" to subscribe to {topic}").line)
        self._accepted(client)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._heard:
            self._heard(message)

    def _hang_up(self, client: Client, refusal: Refusal) -> None:
        self._attempt.refusal = refusal
        client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=_WITH_WILL))

    def _refused(self, refusal: Refusal) -> None:
        if not self._quiet and refusal != self._told:
            self._log.warning("%s (trying again)", refusal.line)
            self._told = refusal
        self._quiet = False
        self._settle(None, refusal)

    def _settle(self, link: Link | None, refusal: Refusal | None) -> None:
        with self._news:
            self.link, self.refusal = link, refusal
            self._news.notify_all()
        self._changed()


@dataclass(eq=False, slots=True)
class _Attempt:
    number: int
    client: Client | None = None
    link: Link | None = None
    refusal: Refusal | None = None
    again: bool = False  # at once, and without a word


def _pause(tries: int) -> float:
    """Seconds to wait, doubled with every try, spread so that forty boxes do not come back in one second."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(tries, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - nobody gains from guessing it


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    """An event is one small packet: do not wait for more (Nagle's algorithm)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_to_loop(_client: Client, _data: Any, _sock: Any) -> None:
    """With this callback set, paho writes in the thread that loops and never in the one that publishes."""
