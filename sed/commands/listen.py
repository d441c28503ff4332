"""`earwitness listen`: what a daemon on this computer, or another, hears now."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from sed.listen.lines import JsonLines, Lines, tell
from sed.listen.scene import Scene
from sed.listen.subscriber import Access, Subscriber
from sed.listen.view import drawn
from sed.stopping import on_signal

FRAME_SECONDS = 0.1


@dataclass(frozen=True)
class Wish:
    """How it is to be shown: bars on a terminal, else lines; `count` events and no more."""

    as_json: bool = False
    count: int | None = None


def run(url: str, source: str | None, key: Path | None, server_key: Path | None, wish: Wish) -> None:
    """Show what is published until interrupted. Raises UsageError or ConfigError."""
    stopped: list[bool] = []
    with on_signal(lambda: stopped.append(True)), Subscriber(url, source, Access.read(key, server_key)) as subscriber:
        console = Console(highlight=False)
        if wish.as_json or wish.count or not console.is_terminal:
            show = JsonLines(sys.stdout) if wish.as_json else Lines(sys.stdout)
            tell(subscriber, show, lambda: bool(stopped), wish.count)
            return
        scene = Scene()
        with Live(drawn(scene, subscriber), console=console, auto_refresh=False) as live:
            while not stopped:
                for bulletin in subscriber.bulletins(FRAME_SECONDS):
                    scene.take(bulletin)
                live.update(drawn(scene, subscriber), refresh=True)
