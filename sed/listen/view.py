"""The scene as a picture in a terminal: levels, the highest scores with their thresholds, the last events, losses."""

import math
from collections.abc import Mapping
from typing import Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sed.eventline import event_line, harmless
from sed.listen.scene import Scene, Source

LABELS = 5
"""Of each source: those that alert first, then those with the highest scores."""

QUIETEST_DBFS = -90.0
"""Where the bar of a level begins."""

BAR = 40
"""Characters."""

_STATES = {"hearing": "green", "silent": "yellow", "lost": "bold red", "stopped": "bold red"}


class Link(Protocol):
    """What is known of the way from the publisher to us; a `Subscriber`."""

    @property
    def lost(self) -> Mapping[tuple[str, str], int]:
        """Messages, by node and topic."""

    @property
    def strange(self) -> int:
        """Messages that are none of ours."""

    @property
    def trouble(self) -> str:
        """Why nothing comes."""


def drawn(scene: Scene, link: Link) -> RenderableType:
    """All of it, some lines a source."""
    parts: list[RenderableType] = []
    for (node, name), source in scene.sources.items():
        lost = sum(count for key, count in link.lost.items() if key[0] == node and _of(key[1]) == name)
        parts.append(_head(source, lost))
        if len(source.scores) == len(source.labels):  # before the first `hello` nobody knows what they mean
            parts.append(_bars(source))
    if scene.events:
        parts.append(Text("last events", "bold"))
        parts += [harmless(event_line(event)) for event in scene.events]
    strange = link.strange + scene.strange.total()
    if strange:
        parts.append(Text(f"{strange} messages that make no sense: is the publisher of another version?", "yellow"))
    if link.trouble:
        parts.append(harmless(Text(link.trouble, "yellow")))
    elif not parts:
        parts.append(Text("connecting"))
    return Group(*parts)


def _of(topic: str) -> str:
    return topic.partition("/")[2]


def _head(source: Source, lost: int) -> Table:
    table = Table.grid(padding=(0, 2))
    share = 1.0 - source.level_dbfs / QUIETEST_DBFS
    losses = [f"{lost} messages lost"] * bool(lost) + [f"{source.dropped_samples} samples lost"] * bool(
        source.dropped_samples
    )
    table.add_row(
        harmless(Text(source.name, "bold")),
        Text(_bar(share), "green"),
        Text(f"{source.level_dbfs:6.1f} dBFS"),
        harmless(Text(source.state, _STATES.get(source.state, ""))),
        Text(", ".join(losses), "yellow"),
    )
    return table


def _bars(source: Source) -> Table:
    table = Table.grid(padding=(0, 2))
    for place in _top(source):
        score, on = float(source.scores[place]), source.on[place]
        table.add_row(
            harmless(Text(f"  {source.labels[place]:<16}")),
            Text(_bar(score, on), "bold red" if source.alert[place] and score >= on else "cyan"),
            Text(f"{score:.2f} of {on:.2f}" + ("" if source.alert[place] else ", not told")),
        )
    return table


def _top(source: Source) -> list[int]:
    """Places in the labels, in their order, so that lines do not jump."""
    places = sorted(range(len(source.labels)), key=lambda n: (source.alert[n], source.scores[n]), reverse=True)
    return sorted(places[:LABELS])


def _bar(share: float, mark: float | None = None) -> str:
    """`████│   `: how much of it is full, and where the mark is."""
    share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    cells = ["█"] * round(BAR * share) + [" "] * (BAR - round(BAR * share))
    if mark is not None and 0.0 <= mark <= 1.0:
        cells[min(BAR - 1, int(BAR * mark))] = "│"
    return "".join(cells)
