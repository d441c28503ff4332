"""The page and the API of a daemon, as long as the configuration says where."""

import contextlib
import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sed.config import Config, HttpConfig
from sed.errors import ConfigError, EarwitnessError, SinkError
from sed.observer import Observer, Origin
from sed.web.access import Access
from sed.web.feed import Feed
from sed.web.server import Server
from sed.web.view import View

if TYPE_CHECKING:
    from sed.web.app import Answers

NEEDED = ("fastapi", "uvicorn", "python_multipart")

Wanted = tuple[HttpConfig, str | None]
"""Where, and the token."""

_LOG = logging.getLogger(__name__)


class Web:
    """Looks on at every source while somebody watches."""

    def __init__(self, view: View) -> None:
        """Nothing is served before `update`."""
        self._view = view
        self._feeds: dict[str, Feed] = {}
        self._known: Wanted | None = None
        self._server: Server | None = None
        self._updated = False

    def observe(self, origin: Origin) -> Observer:
        """A feed; it is silent while nobody watches."""
        feed = self._feeds[origin.source] = Feed(origin)
        return feed

    def update(self, config: Config) -> None:
        """Serve as is wanted now. Raises SinkError or ConfigError the first time; later it logs, and stays."""
        first, self._updated = not self._updated, True
        self._view.config = config
        before = self._known
        try:
            self._follow(served(config))
        except EarwitnessError as error:
            if first:
                raise
            _LOG.error("reload: %s", error)
            with contextlib.suppress(SinkError):  # somebody else may have taken the old port in that moment
                self._follow(before)

    def close(self) -> None:
        """Answer no more."""
        server, self._server, self._known = self._server, None, None
        if server is not None:
            server.close()

    def _follow(self, wanted: Wanted | None) -> None:
        if wanted == self._known:
            return
        self.close()
        if wanted is None:
            return
        self._server = Server(wanted[0], lambda: self._answers(wanted))
        self._server.start()
        self._known = wanted
        _LOG.info("page: http://%s/%s", wanted[0].place, "" if wanted[1] is None else ", for those with the token")

    def _answers(self, wanted: Wanted) -> "Answers":
        from sed.web.app import Answers  # what it needs is heavy, and may not be installed

        return Answers(self._view, Access(*wanted), self._feeds)


def served(config: Config) -> Wanted | None:
    """Where, and with which token; None if nothing is to be served. Raises ConfigError."""
    if config.http is None:
        return None
    for name in NEEDED:
        if find_spec(name) is None:
            raise ConfigError(f"http: needs {name}; pip install 'earwitness[web]'")
    return config.http, config.http.token()
