"""The thread that writes clips: the ears hand over sound and never wait for a disk."""

import contextlib
import errno
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import soundfile

from sed.clips.clip import Clip
from sed.clips.flac import FlacFile
from sed.clips.folder import ClipFolder
from sed.clips.queue import ClipQueue
from sed.signals import Block

KEEP_SECONDS = 60.0
"""How often clips that are too old are looked for while no new ones come."""

_TROUBLE = (OSError, soundfile.SoundFileError)
_FULL = "free some space there, or lower clips.max_size"
_FORBIDDEN = "make it writable for this user, or set another clips.path"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where clips lie, and how many may."""

    folder: ClipFolder
    max_age: float  # seconds
    max_bytes: int


class ClipWriter(threading.Thread):
    """Writes what it is given, in order, and keeps the folder within its bounds.

    A disk that is full, slow or not writable costs clips and nothing else: it is logged once, what it cost is counted,
    and the next clip is tried again.
    """

    def __init__(self) -> None:
        super().__init__(name="clips", daemon=True)
        self.written = 0
        """Clips that are whole and on the disk."""
        self.lost = 0
        """Clips that could not be written."""
        self.deleted = 0
        """Clips that were too old, or too much."""
        self.dropped = 0
        """Samples left out of clips because the disk was too slow."""
        self._queue = ClipQueue()
        self._files: dict[Clip, FlacFile] = {}
        self._bounds: Bounds | None = None
        self._known: Bounds | None = None
        self._cleared: Path | None = None
        self._keep_at = 0.0  # monotonic seconds
        self._late = self._complained = False

    def allow(self, bounds: Bounds) -> None:
        """Write, and keep to these bounds, from now on."""
        self._bounds = bounds
        self._queue.nudge()
        if self.ident is None:
            self.start()

    def forbid(self) -> None:
        """Write nothing more; what is half written is deleted."""
        self._bounds = None
        self._queue.nudge()

    def ready(self) -> bool:
        """Whether a clip can be begun; while the disk is too slow it is lost, and counted."""
        if self._late:
            self.lost += 1
        return not self._late

    def write(self, clip: Clip, block: Block) -> None:
        """Take the next samples of a clip and never wait; what finds no room will be silence in it."""
        if self._queue.put(clip, block):
            return
        self.dropped += len(block.samples)
        if not self._late:
            self._late = True
            _LOG.warning("clips %s: the disk is too slow, sound is left out of clips", clip.path.parent)

    def finish(self, clip: Clip) -> None:
        """No more comes for this clip."""
        self._queue.put(clip, None)

    def close(self, timeout: float) -> None:
        """Write what waits, for `timeout` seconds at most."""
        self._queue.close()
        if self.ident is not None:
            self.join(timeout)
        if self.is_alive():
            _LOG.warning("clips: the disk did not take the last of them within %g s", timeout)

    def run(self) -> None:
        """Write until closed."""
        while not self._queue.over:
            work = self._queue.get(KEEP_SECONDS)
            bounds = self._bounds
            if bounds is None:
                self._give_up([*self._files, *([work[0]] if work else [])])
                continue
            if work is not None:
                self._take(*work)
            if self._late and self._queue.empty:
                self._late = False
                _LOG.warning("clips: the disk keeps up again, %d samples were left out", self.dropped)
            self._look_after(bounds)
        self._give_up(list(self._files))

    def _take(self, clip: Clip, block: Block | None) -> None:
        """Bring a clip further; one that failed comes no further."""
        if clip.failed:
            return
        try:
            if block is None:
                self._finish(clip)
                return
            if clip not in self._files:
                self._files[clip] = FlacFile(clip.path, clip.sample_rate, clip.tags, clip.start)
            self._files[clip].append(block)
        except _TROUBLE as error:
            self._complain(clip.path.parent, error)
            self._give_up([clip])
            self.lost += 1

    def _finish(self, clip: Clip) -> None:
        if clip not in self._files:  # all of it was dropped
            clip.failed = True
            self.lost += 1
            return
        self._files[clip].finish()
        del self._files[clip]
        self._keep_at = 0.0
        if self._complained:
            self._complained = False
            _LOG.warning("clips %s: they can be written again, %d were lost", clip.path.parent, self.lost)
        self.written += 1

    def _look_after(self, bounds: Bounds) -> None:
        """Delete what must not stay: what a process that died had begun, and what is too old or too much."""
        now = time.monotonic()
        if bounds is self._known and now < self._keep_at:
            return
        self._known, self._keep_at = bounds, now + KEEP_SECONDS
        try:
            self._clear(bounds.folder)
            self.deleted += bounds.folder.keep(bounds.max_age, bounds.max_bytes, time.time())
        except OSError as error:
            self._complain(bounds.folder.where, error)

    def _clear(self, folder: ClipFolder) -> None:
        if folder.where == self._cleared:
            return
        folder.make()
        if count := folder.clear_parts(but={file.part for file in self._files.values()}):
            _LOG.warning("clips %s: deleted %d that were never finished", folder.where, count)
        self._cleared = folder.where

    def _give_up(self, clips: list[Clip]) -> None:
        for clip in clips:
            clip.failed = True
            with contextlib.suppress(*_TROUBLE):
                if file := self._files.pop(clip, None):
                    file.discard()

    def _complain(self, folder: Path, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            number = getattr(error, "errno", None)
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            advice = _ADVICE.get(number or 0, "check the disk, or set another clips.path")
            _LOG.error("clips %s: %s; %s; events go on without clips", folder, reason, advice)
