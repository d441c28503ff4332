"""All sources' feeds, and the publisher that the configuration wants for them."""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping

from sed.broadcast.feed import Feed
from sed.broadcast.publisher import Publisher
from sed.config import Config
from sed.doorkeeper import Admission
from sed.errors import EarwitnessError
from sed.journal import SourceState
from sed.metadata import Rule
from sed.observer import Count, Observer, Origin

_LOG = logging.getLogger(__name__)


class Broadcast:
    """A lookout that publishes over ZeroMQ, as long as the configuration says where."""

    def __init__(self, states: Callable[[], Iterable[SourceState]], rules: Callable[[str], Mapping[str, Rule]]) -> None:
        """`states` are those of the sources now, `rules` those of a source."""
        self._states, self._rules = states, rules
        self._session = secrets.token_hex(4)
        self._feeds: dict[str, Feed] = {}
        self._publisher: Publisher | None = None
        self._known: tuple[str, Admission | None] | None = None
        self._updated = False

    def observe(self, origin: Origin) -> Observer:
        """A feed; it is silent while nothing is published."""
        feed = Feed(origin, self._session, self._wake)
        feed.open = self._publisher is not None
        self._feeds[origin.source] = feed
        return feed

    @property
    def counts(self) -> tuple[Count, ...]:
        """For the metrics."""
        dropped = sum(feed.dropped for feed in list(self._feeds.values()))
        return (Count("zmq_dropped_bulletins", "Bulletins that could not be published in time.", dropped),)

    def update(self, config: Config) -> None:
        """Publish as is wanted now. Raises SinkError or ConfigError the first time; later it logs, and is silent."""
        first, self._updated = not self._updated, True
        try:
            self._follow(config)
        except EarwitnessError as error:
            if first:
                raise
            _LOG.error("%s; nothing is published until the next reload", error)

    def close(self) -> None:
        """Tell what is left, and publish no more."""
        publisher, self._publisher, self._known = self._publisher, None, None
        for feed in list(self._feeds.values()):
            feed.open = False
        if publisher is not None:
            publisher.close()

    def _follow(self, config: Config) -> None:
        wanted = published(config)
        if wanted == self._known:
            return
        self.close()
        if wanted is None:
            return
        self._publisher = Publisher(*wanted, self._feeds, self._states, self._rules)
        self._known = wanted
        for feed in list(self._feeds.values()):
            feed.open = True
        _LOG.info("publishing at %s%s", wanted[0], "" if wanted[1] is None else ", for those with an allowed key")

    def _wake(self) -> None:
        if (publisher := self._publisher) is not None:
            publisher.wake()


def published(config: Config) -> tuple[str, Admission | None] | None:
    """Where, and who may come in; None if nothing is to be published. Raises ConfigError for keys it cannot read."""
    if config.zmq is None or config.zmq.publish is None:
        return None
    files = config.zmq.key_files
    return config.zmq.publish, Admission.read(*files) if files else None
