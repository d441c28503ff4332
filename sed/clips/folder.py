"""The folder of clips: what lies in it, where a clip is, and what has to go."""

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

SUFFIX = ".flac"

PART = f"{SUFFIX}.part"
"""What a clip's name ends with while it is written."""

_ID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
"""An event's id, as `event.schema.json` has it."""


class ClipFolder:
    """Clips by the ids of their events. Files of other names are none of its business: neither shown nor deleted."""

    def __init__(self, path: Path) -> None:
        """The folder need not be there yet."""
        self.where = path

    def path(self, event: str) -> Path | None:
        """The finished clip of an event; None where there is none, and for what is no event's id."""
        path = self.where / f"{event}{SUFFIX}"
        return path if re.fullmatch(_ID, event) and path.is_file() and not path.is_symlink() else None

    def ids(self) -> list[str]:
        """The events that have a finished clip, oldest first."""
        return sorted(path.name.removesuffix(SUFFIX) for path in self._files(SUFFIX))

    def make(self) -> None:
        """Make it, for this user's eyes only, if it is not there. Raises OSError."""
        self.where.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear_parts(self, but: Collection[Path] = ()) -> int:
        """Delete what a process that died left half written; returns how many. Raises OSError."""
        parts = [part for part in self._files(PART) if part not in but]
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)

    def keep(self, max_age: float, max_bytes: int, now: float) -> int:
        """Delete the oldest clips that are older than `max_age` seconds at `now` (UNIX seconds), or too much in all.

        The newest stays, however large. Returns how many were deleted. Raises OSError.
        """
        found = sorted(self._aged())
        total, deleted = sum(size for _, _, size in found), 0
        for n, (time, path, size) in enumerate(found, start=1):
            too_much = total > max_bytes and n < len(found)
            if time >= now - max_age and not too_much:
                break
            path.unlink(missing_ok=True)
            total, deleted = total - size, deleted + 1
        return deleted

    def _aged(self) -> Iterator[tuple[float, Path, int]]:
        """When each clip was finished, in UNIX seconds, and its size in bytes."""
        for path in self._files(SUFFIX):
            with contextlib.suppress(FileNotFoundError):  # somebody else may tidy up, too
                stat = path.stat()
                yield stat.st_mtime, path, stat.st_size

    def _files(self, suffix: str) -> list[Path]:
        if not self.where.is_dir():
            return []
        name = re.compile(_ID + re.escape(suffix))
        return [path for path in self.where.iterdir() if name.fullmatch(path.name) and path.is_file()]
