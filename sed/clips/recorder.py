"""Cuts the events of one source out of its sound, with what came before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sed.clips.clip import Clip, clip_of
from sed.clips.writer import ClipWriter
from sed.config import ClipsConfig
from sed.message import Message
from sed.observer import Observer, Origin
from sed.signals import Block, Event


@dataclass(frozen=True, slots=True)
class Wish:
    """Which clips are wanted, and where."""

    settings: ClipsConfig
    folder: Path

    def holds(self, label: str) -> bool:
        """Whether events of this label are to be recorded."""
        return self.settings.labels is None or label in self.settings.labels


@dataclass(slots=True)
class _Recording:
    """A clip that grows."""

    clip: Clip
    past: list[Block]  # what was heard before it began
    at: int  # the sample after the last one handed over
    until: int  # the sample to end before, as far as is known
    post: int  # samples after the event's offset


class Recorder(Observer):
    """Every event that is wanted gets a clip of its own, however many sound at once.

    A clip reaches from `pre` seconds before the onset, as far as the ring still holds them, to `post` after the offset,
    but is never longer than `max_length`; it ends no earlier than where the event's end was certain. Lost sound is
    silence in it, so its times remain true.
    """

    def __init__(self, origin: Origin, wish: Callable[[], Wish | None], writer: ClipWriter) -> None:
        """`wish` says what is wanted at the moment."""
        self._origin, self._wish, self._writer = origin, wish, writer
        self._rate = origin.metadata.frontend.sample_rate
        self._events: dict[str, _Recording] = {}  # those whose end has not come, by id
        self._open: list[_Recording] = []

    def event(self, event: Event) -> Message:
        """Begin a clip, or say when it ends; the name is what its end says, null if it could not be written."""
        if event.phase == "start":
            self._begin(event)
        recording = self._events.get(event.id)
        if recording is None:
            return {}
        if event.phase == "end":
            del self._events[event.id]
            recording.until = min(recording.until, (event.offset or event.detected) + recording.post)
        return {} if recording.clip.failed else {"clip": recording.clip.name}

    def block(self, block: Block) -> None:
        """Sound for all that is open."""
        if self._open:
            for recording in self._open:
                self._push(recording, block)
            self._open = [each for each in self._open if not self._over(each)]

    def close(self) -> None:
        """The sound is over, and so are the clips."""
        for recording in self._open:
            self._push(recording)
            self._writer.finish(recording.clip)
        self._open.clear()

    def _begin(self, event: Event) -> None:
        wish = self._wish()
        if wish is None or not wish.holds(event.label) or not self._writer.ready():
            return
        pre, post, longest = (
            round(seconds * self._rate) for seconds in (wish.settings.pre, wish.settings.post, wish.settings.max_length)
        )
        past = self._origin.ring.past(event.onset - pre)
        start = past[0].start if past else event.detected
        clip = clip_of(event, self._origin, wish.folder, start)
        recording = _Recording(clip, past, start, start + longest, post)
        self._events[event.id] = recording
        self._open.append(recording)

    def _push(self, recording: _Recording, *blocks: Block) -> None:
        """What of the past and of these belongs into a clip and is not there yet."""
        for block in (*recording.past, *blocks):
            first, last = (max(0, sample - block.start) for sample in (recording.at, recording.until))
            samples = block.samples[first:last]
            recording.at = max(recording.at, block.end)
            if len(samples):
                self._writer.write(recording.clip, Block(block.start + first, samples))
        recording.past = []

    def _over(self, recording: _Recording) -> bool:
        if recording.at < recording.until and not recording.clip.failed:
            return False
        self._writer.finish(recording.clip)
        return True
