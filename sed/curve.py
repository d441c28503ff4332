"""CURVE keys (curvezmq.org) in files: who may listen to whom, for sockets that reach beyond this computer.

A file has a line a key, `curve-public KEY NAME` or `curve-secret KEY NAME`: a key is 40 characters of Z85 (ZeroMQ's
RFC 32), the name is for people. Empty lines and those that begin with # are passed over.
"""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import zmq

from sed.errors import ConfigError, UsageError

PUBLIC, SECRET = "curve-public", "curve-secret"

DOMAIN = b"earwitness"
"""In which servers ask who may come in (ZeroMQ's RFC 27)."""

_LONGEST = 1_000_000  # characters of a file
_LOG = logging.getLogger(__name__)

Socket = zmq.Socket[Any]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What others know somebody by."""

    text: str  # Z85
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse what is no key. Raises ValueError."""
        _check(self.text)

    @property
    def line(self) -> str:
        """As it stands in a file."""
        return f"{PUBLIC} {self.text} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys; the secret one never leaves this computer, and is no part of `repr`."""

    secret: str = field(repr=False)  # Z85
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse what is no key. Raises ValueError."""
        _check(self.secret)

    @classmethod
    def new(cls, name: str = "") -> Self:
        """A pair that nobody else has."""
        return cls(zmq.curve_keypair()[1].decode(), name)

    @property
    def public(self) -> PublicKey:
        """The one to give away."""
        return PublicKey(zmq.curve_public(self.secret.encode()).decode(), self.name)

    def serve(self, socket: Socket) -> None:
        """Let the socket take encrypted connections only, and none that a `Doorkeeper` did not let in."""
        socket.curve_secretkey = self.secret.encode()
        socket.curve_server = True
        socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # no doorkeeper, no entry

    def call(self, socket: Socket, server: PublicKey) -> None:
        """Let the socket connect to this server and no other, encrypted."""
        socket.curve_secretkey, socket.curve_publickey = self.secret.encode(), self.public.text.encode()
        socket.curve_serverkey = server.text.encode()


def write_keys(stem: Path, keys: Keys) -> tuple[Path, Path]:
    """Write STEM.key, for this user only, and STEM.pub; returns both. Raises UsageError if there is one already."""
    secret, public = stem.with_name(f"{stem.name}.key"), stem.with_name(f"{stem.name}.pub")
    for path in (secret, public):
        if path.exists():
            raise UsageError(f"{path}: there already; choose another name, or delete it if nobody uses it any more")
    _write(secret, f"{SECRET} {keys.secret} {keys.name}".rstrip(), 0o600)
    _write(public, keys.public.line, 0o644)
    return secret, public


def read_keys(path: Path) -> Keys:
    """The pair whose secret key is in a file. Raises ConfigError."""
    found = _keys_in(path, SECRET, "as 'earwitness keys' writes to NAME.key")
    if len(found) > 1:
        raise ConfigError(f"{path}: has {len(found)} secret keys; leave one")
    if path.stat().st_mode & 0o077:
        _LOG.warning("%s: other users may read this secret key; 'chmod 600 %s'", path, path)
    return Keys(*found[0])


def read_public_key(path: Path) -> PublicKey:
    """The one public key in a file. Raises ConfigError."""
    found = _keys_in(path, PUBLIC, "as 'earwitness keys' writes to NAME.pub")
    if len(found) > 1:
        raise ConfigError(f"{path}: has {len(found)} public keys; leave one")
    return PublicKey(*found[0])


def read_public_keys(path: Path) -> tuple[PublicKey, ...]:
    """The public keys in a file, a line each, or in all *.pub of a folder. Raises ConfigError; one at least."""
    files = sorted(path.glob("*.pub")) if path.is_dir() else [path]
    if not files:
        raise ConfigError(f"{path}: no *.pub in this folder; copy the public key there of everyone who may come in")
    found = [key for file in files for key in _keys_in(file, PUBLIC, "as 'earwitness keys' writes to NAME.pub")]
    return tuple(PublicKey(*key) for key in found)


def _keys_in(path: Path, kind: str, such: str) -> list[tuple[str, str]]:
    """The keys of a kind with their names; a name that is missing is the file's."""
    found = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word != kind:
            got = {PUBLIC: "a public key", SECRET: "a secret key"}.get(word, "something else")
            raise ConfigError(f"{path}: line {number}: should be a {kind.replace('curve-', '')} key, {such}; got {got}")
        key, _, name = rest.strip().partition(" ")
        try:
            _check(key)
        except ValueError as error:
            raise ConfigError(f"{path}: line {number}: {error}") from error
        found.append((key, name.strip() or path.stem))
    if not found:
        raise ConfigError(f"{path}: no key in it; name a file with a {kind} line, {such}")
    return found


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LONGEST)
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "not UTF-8 text").lower()
        raise ConfigError(f"{path}: {reason}; name a readable file that 'earwitness keys' has made") from error


def _check(key: str) -> None:
    """Raises ValueError for what is no key; never repeats it, as it may be a secret one."""
    try:
        zmq.curve_public(key.encode("ascii"))
    except (zmq.ZMQError, UnicodeEncodeError, ValueError) as error:
        raise ValueError(f"should be a key, 40 characters of Z85, got {len(key)} that are none") from error


def _write(path: Path, line: str, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}; name a place to write to") from error
