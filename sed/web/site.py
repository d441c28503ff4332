"""The page: files that lie beside this one, kept in memory, packed and as they are."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sed.web.refusal import refused

FOLDER = Path(__file__).with_name("page")

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9]+)+")
_KEEP = {"cache-control": "no-cache", "vary": "accept-encoding"}
"""Asked for again each time: an upgrade shows at once, and what is the same costs nothing."""


@dataclass(frozen=True, slots=True)
class File:
    """One of them, as it was at a moment."""

    changed: int  # nanoseconds
    kind: str
    etag: str
    plain: bytes
    packed: bytes

    @classmethod
    def read(cls, path: Path, changed: int) -> "File":
        """All of it; raises OSError."""
        plain = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        etag = f'W/"{blake2b(plain, digest_size=12).hexdigest()}"'
        return cls(changed, kind, etag, plain, gzip.compress(plain, mtime=0))


class Site:
    """Answers for the files of one folder; there are no folders in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._files: dict[str, File] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        file = self._file(scope["path"].removeprefix("/") or "index.html")
        if file is None:
            return refused(404, "there is nothing here")
        if scope["method"] not in ("GET", "HEAD"):
            return refused(405, "this is only to be read", {"allow": "GET, HEAD"})
        headers = Headers(scope=scope)
        own = _KEEP | {"etag": file.etag}
        if headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=own)
        if "gzip" in headers.get("accept-encoding", ""):
            return Response(file.packed, headers=own | {"content-encoding": "gzip"}, media_type=file.kind)
        return Response(file.plain, headers=own, media_type=file.kind)

    def _file(self, name: str) -> File | None:
        """From memory, unless it has changed."""
        if not _NAME.fullmatch(name):
            return None
        path = self._folder / name
        try:
            changed = path.stat().st_mtime_ns
            known = self._files.get(name)
            if known is None or known.changed != changed:
                known = self._files[name] = File.read(path, changed)
        except OSError:
            return None
        return known
