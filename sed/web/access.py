"""Who may ask: a token, as a bearer or once for a session of a browser, and only under names that are ours."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import urlsplit

from sed.config import HttpConfig

COOKIE = "earwitness"

SESSION_SECONDS = 30 * 86_400
"""How long a browser stays logged in."""

Pass = Literal["open", "token", "session"]
"""How somebody was let in: everybody is, by the token itself, by a session that it began."""


class Access:
    """Decides on one request after the other; knows nothing of those before, so sessions outlive a restart."""

    def __init__(self, config: HttpConfig, token: str | None) -> None:
        """Without a token whoever reaches the address may ask."""
        self._token = token
        self._key = hashlib.sha256(f"earwitness session {token}".encode()).digest()
        own = f"[{config.address}]" if ":" in config.address else config.address
        names = {"localhost", "127.0.0.1", "[::1]", own, *config.hosts}
        self._names = names if config.stays_here else None

    @property
    def guarded(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    def knows(self, host: str) -> bool:
        """Whether a Host header is one of our names: a foreign name that leads here is an attack (DNS rebinding)."""
        if self._names is None:  # open to the network: there the token protects, for no foreign name has its session
            return bool(host)
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
        return name.lower().rstrip(".") in self._names

    def admits(self, headers: Mapping[str, str]) -> Pass | None:
        """How a request gets in, if it does."""
        if self._token is None:
            return "open"
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return "token" if self.is_token(given.strip()) else None
        return "session" if self._is_session(_cookie(headers.get("cookie", ""))) else None

    def is_token(self, given: str) -> bool:
        """Whether this is it; takes as long for a wrong one as for a nearly right one."""
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def session(self) -> str:
        """A new session, as a cookie's value."""
        until = str(int(time.time()) + SESSION_SECONDS)
        return f"{until}.{self._mac(until)}"

    def _is_session(self, value: str) -> bool:
        until, _, mac = value.partition(".")
        own = hmac.compare_digest(mac.encode(), self._mac(until).encode())
        return own and until.isdigit() and int(until) > time.time()

    def _mac(self, until: str) -> str:
        return hmac.new(self._key, until.encode(), hashlib.sha256).hexdigest()


def is_same_site(headers: Mapping[str, str], how: Pass) -> bool:
    """Whether a request that changes something comes from our own page, or from no browser at all.

    Browsers say where a request comes from in Sec-Fetch-Site, and in Origin with everything that changes something; a
    page cannot change either.
    """
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    if origin := headers.get("origin"):
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return how != "session"


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
