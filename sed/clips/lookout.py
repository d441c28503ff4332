"""The clips of a daemon: who records, who writes, and where they are found."""

import contextlib
import logging
from pathlib import Path

from sed.clips.folder import ClipFolder
from sed.clips.recorder import Recorder, Wish
from sed.clips.writer import Bounds, ClipWriter
from sed.config import Config
from sed.observer import Count, Observer, Origin

CLOSE_SECONDS = 0.5
"""How long the last clips may take to get onto the disk."""

_LOG = logging.getLogger(__name__)


class Clips:
    """Records the events of all sources while it is told to, and nothing at all where privacy forbids it."""

    def __init__(self) -> None:
        self._writer = ClipWriter()
        self._wish: Wish | None = None
        self._folder: ClipFolder | None = None

    @property
    def counts(self) -> tuple[Count, ...]:
        """For the metrics."""
        writer = self._writer
        return (
            Count("clips_written", "Clips that are whole and on the disk.", writer.written),
            Count("clips_lost", "Clips that could not be written.", writer.lost),
            Count("clips_deleted", "Clips that were too old, or too much.", writer.deleted),
            Count("clip_samples_dropped", "Samples left out of clips because the disk was too slow.", writer.dropped),
        )

    def path(self, event: str) -> Path | None:
        """The finished clip of an event, if there is one and it may be shown; an id may come from anywhere."""
        return self._folder.path(event) if self._folder else None

    def observe(self, origin: Origin) -> Observer:
        """A recorder for one source."""
        return Recorder(origin, lambda: self._wish, self._writer)

    def update(self, config: Config) -> None:
        """Take over `[clips]` and `[privacy]`; a clip that has begun ends as it began, unless audio is forbidden."""
        settings, folder = config.clips, config.clips_folder
        if not config.may_keep_audio:
            self._folder = self._wish = None
            self._writer.forbid()
            _mention_old(ClipFolder(folder))
            return
        self._folder = ClipFolder(folder)
        self._wish = Wish(settings, folder) if settings.enabled else None
        if settings.enabled:
            self._writer.allow(Bounds(self._folder, settings.max_age, settings.max_size))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close(CLOSE_SECONDS)


def _mention_old(folder: ClipFolder) -> None:
    """Nothing is deleted that was not asked for, but it should be known."""
    with contextlib.suppress(OSError):
        if count := len(folder.ids()):
            told = "clips %s: privacy.audio = false, but %d clips from before lie there; delete them if they must go"
            _LOG.warning(told, folder.where, count)
