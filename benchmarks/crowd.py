"""Thousands of boxes on a broker: a TCP connection each, all looked after by the thread that calls.

Each says what one real box was overheard to say (`benchmarks.traffic`), byte by byte, under a name of its own that is
as long; so the packets need no second implementation of MQTT, and one process carries as many as a broker takes.
"""

import errno
import heapq
import random
import resource
import select
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from typing import Self

from benchmarks.traffic import NODE, PUBACK, PUBLISH, Traffic, body, kind, packets, quality
from sed.sinks.connection import ANSWER_SECONDS, FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS

AT_A_TIME = 50
"""Connections on their way while a crowd gathers in order; Mosquitto's own queue holds 100."""
PATIENCE_SECONDS = 300.0
PING, PING_SECONDS = b"\xc0\x00", 20.0
"""A box's keep-alive is 30 s, and gathering ten thousand takes longer."""

_RESET = struct.pack("ii", 1, 0)


def raise_limit() -> int:
    """Let this process and those it starts open as many files as they may; returns how many."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Member:
    """One box: its connection, what it still has to send, and how many confirmations it waits for."""

    __slots__ = ("awaited", "buffer", "heard", "number", "since", "sock", "tries", "unsent")

    def __init__(self, number: int, port: int, tries: int) -> None:
        self.number, self.tries, self.since, self.heard = number, tries, time.monotonic(), False
        self.buffer, self.unsent, self.awaited = bytearray(), b"", 0
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.sock.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, f"connection {number} cannot be made")

    @property
    def here(self) -> bool:
        """Whether the broker has confirmed all it had to say."""
        return self.heard and self.awaited == 0 and not self.unsent

    @property
    def unanswered(self) -> bool:
        """Whether it has to try again, as a box does: it was thrown out, or nothing came for too long."""
        return self.sock.fileno() < 0 or (not self.heard and time.monotonic() > self.since + ANSWER_SECONDS)

    def say(self, packets: bytes, confirmations: int) -> None:
        """Send as much as goes out now; the rest waits for `flush`."""
        self.awaited += confirmations
        self.unsent += packets.replace(NODE.encode(), f"box-{self.number:05d}".encode())

    def flush(self) -> bool:
        """Whether all is out."""
        if self.unsent:
            with suppress(OSError):  # no room now; one that broke is found out by `hear`
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
        return not self.unsent

    def hear(self) -> bool:
        """Take in what has come; whether the broker is still there."""
        try:
            data = self.sock.recv(262_144)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.buffer += data
        self.heard = True
        for packet in packets(self.buffer):
            if kind(packet) == PUBACK:
                self.awaited -= 1
            elif kind(packet) == PUBLISH and quality(packet):
                self._confirm(packet)
        return bool(data)

    def _confirm(self, packet: bytes) -> None:
        at = body(packet)
        at += 2 + int.from_bytes(packet[at : at + 2])
        self.unsent += b"\x40\x02" + packet[at : at + 2]
        self.flush()


class Crowd:
    """The boxes that are connected; `traffic` is what they say."""

    def __init__(self, port: int, traffic: Traffic) -> None:
        self.members: list[Member] = []
        self.lost, self.retries = 0, 0
        """Connections that broke unasked; attempts that were not answered in time."""
        self.told = 0
        """Events so far."""
        self._port, self._traffic = port, traffic
        self._polled, self._by_handle = select.epoll(), dict[int, Member]()
        self._next = 0
        self._next_ping = time.monotonic() + PING_SECONDS

    def gather(self, count: int, patience: float = PATIENCE_SECONDS) -> None:
        """So many more, some at a time, each until the broker has confirmed all it has to say at first.

        Raises OSError if this process may not open more, TimeoutError if the broker does not take them in time.
        """
        now, here = time.monotonic(), len(self.members)
        self._let_come([(now, 0, here + n) for n in range(count)], AT_A_TIME, patience)

    def scatter_and_return(self) -> float:
        """All are gone at once, as when a network fails, and come back as boxes do; the seconds until all are here."""
        count, now = len(self.members), time.monotonic()
        self.scatter()
        self._let_come([(now + pause(0), 0, number) for number in range(count)], count, PATIENCE_SECONDS)
        return time.monotonic() - now

    def tell(self, per_second: float, seconds: float, level: bool = False) -> int:
        """Events (or levels) of one box after the other at that pace; returns how many were told."""
        begun, told = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            while told < passed * per_second:
                self._tell(self._turn_of(), level)
                told += 1
            self.turn(min(0.002, max(0.0, (told + 1) / per_second - passed)))
        self.settle()
        return told

    def rush(self, events: int, lanes: int = 200) -> float:
        """So many events as fast as they are confirmed, of so many boxes at a time; returns the seconds it took."""
        begun, left = time.monotonic(), events
        busy = deque[Member]()
        while left or busy:
            while left and len(busy) < min(lanes, len(self.members)):
                busy.append(self._turn_of())
                self._tell(busy[-1])
                left -= 1
            self.turn(0.05)
            busy = deque(member for member in busy if member.awaited)
        return time.monotonic() - begun

    def turn(self, seconds: float) -> None:
        """Read what has come, waiting so long for something; write what is left."""
        for handle, event in self._polled.poll(seconds):
            member = self._by_handle[handle]
            if event & ~select.EPOLLOUT and not member.hear():
                self.lost += member.here
                self._forget(member)
            elif (out := member.flush()) == bool(event & select.EPOLLOUT):
                self._polled.modify(handle, select.EPOLLIN if out else select.EPOLLIN | select.EPOLLOUT)
        if time.monotonic() >= self._next_ping:
            self._next_ping = time.monotonic() + PING_SECONDS
            for member in self.members:
                member.say(PING, 0)
                member.flush()

    def settle(self, seconds: float = 30.0) -> None:
        """Until all is confirmed. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while any(member.awaited or member.unsent for member in self.members):
            self.turn(0.02)
            if time.monotonic() > until:
                raise TimeoutError(f"the broker has not confirmed everything after {seconds:g} s")

    def scatter(self) -> None:
        """All are gone at once, without a word, as when a network fails."""
        for member in self.members:
            member.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            member.sock.close()
        self.members.clear()
        self._by_handle.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.scatter()
        self._polled.close()

    def _let_come(self, waiting: list[tuple[float, int, int]], at_a_time: int, patience: float) -> None:
        """Each of them when it is due: (monotonic seconds, how often it was tried, its number)."""
        heapq.heapify(waiting)
        coming, until = set[Member](), time.monotonic() + patience
        while waiting or coming:
            while waiting and waiting[0][0] <= time.monotonic() and len(coming) < at_a_time:
                coming.add(self._come(*heapq.heappop(waiting)[1:]))
            self.turn(0.02)
            coming = {member for member in coming if not member.here}
            for member in [member for member in coming if member.unanswered]:
                coming.remove(member)
                self._forget(member)
                self.retries += 1
                heapq.heappush(waiting, (time.monotonic() + pause(member.tries + 1), member.tries + 1, member.number))
            if time.monotonic() > until:
                raise TimeoutError(f"{len(coming) + len(waiting)} boxes are not there after {patience:g} s")

    def _come(self, tries: int, number: int) -> Member:
        member = Member(number, self._port, tries)
        member.say(self._traffic.hello, self._traffic.greetings)
        self._by_handle[member.sock.fileno()] = member
        self._polled.register(member.sock, select.EPOLLIN | select.EPOLLOUT)
        self.members.append(member)
        return member

    def _tell(self, member: Member, level: bool = False) -> None:
        if level:
            member.say(self._traffic.level, 0)
        else:
            self.told += 1
            for half in self._traffic.event:
                member.say(half, 2)
        if not member.flush():
            self._polled.modify(member.sock, select.EPOLLIN | select.EPOLLOUT)

    def _turn_of(self) -> Member:
        self._next = (self._next + 1) % len(self.members)
        return self.members[self._next]

    def _forget(self, member: Member) -> None:
        if (handle := member.sock.fileno()) >= 0:
            self._polled.unregister(member.sock)
            del self._by_handle[handle]
            self.members.remove(member)
            member.sock.close()


def pause(tries: int) -> float:
    """Seconds before a box tries again, as `sed.sinks.connection` has it."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(tries, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - nobody gains from guessing it
