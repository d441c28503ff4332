"""Recordings in object stores, archives and on web servers: whatever fsspec opens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import PurePosixPath
from typing import Any

from sed.archive.engine import Recording
from sed.errors import UsageError
from sed.source.folder import SUFFIXES

Complain = Callable[[str], None]


def listed(url: str, complain: Complain) -> Iterator[Recording]:
    """The recording at a URL, or those below it or matching it, in the order of their names. Raises UsageError."""
    with _told(url):
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url, use_listings_cache=False)
        if "*" in path:
            found = sorted(system.glob(path, detail=True).values(), key=itemgetter("name"))
            alone = None
        elif _is_recording(path) or not system.isdir(path):
            found, alone = [], system.info(path)
        else:
            found, alone = _entries(system, path), None
    if alone is not None:
        yield Recording(url, alone.get("size"))
    yield from _walk(system, url, found, complain)


def _walk(system: Any, url: str, entries: list[dict[str, Any]], complain: Complain) -> Iterator[Recording]:
    for entry in entries:
        path = entry["name"]
        if PurePosixPath(path).name.startswith("."):
            continue
        if entry["type"] != "directory":
            if _is_recording(path):
                yield Recording(_url(url, path), entry.get("size"))
            continue
        try:
            with _told(_url(url, path)):
                below = _entries(system, path)
        except UsageError as error:
            complain(f"{error}; passed over")
        else:
            yield from _walk(system, url, below, complain)


def _entries(system: Any, path: str) -> list[dict[str, Any]]:
    """What is in a folder; a store may list the folder itself, as an object of no bytes."""
    own = path.rstrip("/")
    return sorted(
        (one for one in system.ls(path, detail=True) if one["name"].rstrip("/") != own), key=itemgetter("name")
    )


def _is_recording(path: str) -> bool:
    return PurePosixPath(path.partition("?")[0]).suffix.lower() in SUFFIXES


def _url(source: str, path: str) -> str:
    """The URL of a path that the file system of `source` told; what it is chained to stays."""
    if "://" in path:
        return path
    parts = source.split("::")
    at = next(n for n, part in enumerate(parts) if "://" in part)
    parts[at] = f"{parts[at].partition('://')[0]}://{path}"
    return "::".join(parts)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """As UsageError, whatever a file system raises: each has errors of its own."""
    try:
        yield
    except ImportError as error:
        raise UsageError(f"{url}: {error}") from error  # it says what to install
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{url}: cannot be listed ({text})") from error
