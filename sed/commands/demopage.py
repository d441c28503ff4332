"""The demo's page: what was heard, with pictures and sound, as a daemon shows it."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from sed.clips.lookout import Clips
from sed.config import ClipsConfig, Config, HttpConfig, SourceConfig
from sed.observer import Observer, Origin
from sed.replay import Replay
from sed.web.lookout import NEEDED, Web
from sed.web.view import View

SOURCE = "street"


class DemoPage:
    """Serves what a replay hears, and its clips, on this computer only; nothing where the extra `web` is missing."""

    def __init__(self, config: Config, street: Path, replay: Replay) -> None:
        """Clips lie beside the street. Raises SinkError if nothing can be served."""
        self.address = ""
        self._opened = ExitStack()
        self.observe: Sequence[Callable[[Origin], Observer]] = ()
        if all(find_spec(name) for name in NEEDED):
            self._serve(config, street, replay)

    def invitation(self, *, stay: bool) -> str:
        """One line for people: where the page is."""
        if not self.address:
            return "with pip install 'earwitness[web]' there is a page to see and hear it"
        how = "Ctrl-C ends it" if stay else "'earwitness demo --page' keeps it open"
        return f"{self.address} shows it, with pictures and sound; {how}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _serve(self, config: Config, street: Path, replay: Replay) -> None:
        http = HttpConfig(port=_port())
        clips = Clips()
        view = View(
            replay.metadata, list, lambda: any(state.state == "hearing" for state in replay.journal.states()),
            replay.journal, lambda source: replay.rules, lambda: replay.connected, clips.path, list,
        )  # fmt: skip
        web = Web(view)
        parts = {
            "source": (SourceConfig(name=SOURCE, url=f"file:{street}"),),
            "clips": ClipsConfig(enabled=True, path=street.with_name("clips")),
            "http": http,
        }
        for lookout in (clips, web):
            self._opened.callback(lookout.close)
            lookout.update(config.model_copy(update=parts))
        self.observe = (clips.observe, web.observe)
        self.address = f"http://{http.place}/"


def _port() -> int:
    """The usual one, or one that is free."""
    for port in (HttpConfig().port, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    return HttpConfig().port
