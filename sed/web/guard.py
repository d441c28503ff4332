"""What every request passes, whatever it asks for: names, tokens, sizes, and the headers of the answer."""

import asyncio
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sed.web.access import COOKIE, SESSION_SECONDS, Access, Pass, is_same_site
from sed.web.refusal import refused

LARGEST_BODY = 65_536
"""Bytes, of everything but recordings."""

UPLOAD = "/classify"

OPEN = frozenset({"/healthz", "/readyz", "/login"})
ASSETS = (".css", ".js", ".svg", ".png", ".ico", ".webmanifest", ".woff2")
"""What the page is made of holds no secret, and the login form wants it too."""

WRONG_SECONDS = 0.5
"""How long whoever gives a wrong token waits for the next try."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Lets through what may pass, and answers what may not."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = Headers(scope=scope)
        how = self._access.admits(headers)
        scope.setdefault("state", {})["admitted"] = how is not None
        refusal = _malformed(scope, headers) if self._access.knows(headers.get("host", "")) else _foreign()
        refusal = refusal or await self._stranger(scope, headers, how) or _forged(scope, headers, how)

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for key, value in ({"cache-control": "no-store"} | HEADERS).items():
                    answer.setdefault(key, value)
            await send(message)

        await (refusal or self._app)(scope, receive, protected)

    async def _stranger(self, scope: Scope, headers: Headers, how: Pass | None) -> Response | None:
        """What whoever has no session gets; None for what everybody may see."""
        path = scope["path"]
        if path == "/" and (given := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            return logged_in(self._access) if self._access.is_token(given[0]) else await wrong()
        if how is not None or path in OPEN or (path.count("/") == 1 and path.endswith(ASSETS)):
            return None
        if "authorization" in headers:
            return await wrong()
        if path in ("/", "/index.html"):
            return RedirectResponse("/login", 303)
        return refused(401, "who are you? give the token: Authorization: Bearer TOKEN, or log in at /login", _WHO)


_WHO = {"www-authenticate": "Bearer"}


async def wrong() -> Response:
    """Whoever guesses shall not guess fast."""
    await asyncio.sleep(WRONG_SECONDS)
    return refused(401, "that is not the token", _WHO)


def logged_in(access: Access) -> Response:
    """To the page, with a session."""
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, access.session(), SESSION_SECONDS, path="/", httponly=True, samesite="lax")
    return answer


def _foreign() -> Response:
    return refused(421, "this computer is not known by that name; add it to http.hosts")


def _malformed(scope: Scope, headers: Headers) -> Response | None:
    """What is refused before a byte of it is read."""
    if scope["path"] == UPLOAD:
        return None
    if "transfer-encoding" in headers:
        return refused(411, "send a body with its Content-Length")
    if int(headers.get("content-length", "0")) > LARGEST_BODY:
        return refused(413, f"a body has at most {LARGEST_BODY} bytes here")
    return None


def _forged(scope: Scope, headers: Headers, how: Pass | None) -> Response | None:
    if scope["method"] in ("GET", "HEAD", "OPTIONS") or is_same_site(headers, how or "open"):
        return None
    return refused(403, "asked for by another page; what changes something has to come from this one")
