"""The names of the topics, as the design promises them."""

import re

_TAKEN = {"event", "level", "state", "set"}


class Topics:
    """`<prefix>/<node>/...`: where a node tells, and where it is told."""

    def __init__(self, prefix: str, node: str) -> None:
        """Both are levels of a topic already."""
        self.root = f"{prefix}/{node}"
        self.availability = f"{self.root}/availability"

    def event(self, source: str) -> str:
        """Start and end of every event."""
        return f"{self.root}/{source}/event"

    def label(self, source: str, label: str) -> str:
        """ON and OFF."""
        return f"{self.root}/{source}/{topic_level(label)}"

    def level(self, source: str) -> str:
        """dBFS."""
        return f"{self.root}/{source}/level"

    def state(self, source: str) -> str:
        """How the source is, and answers to commands."""
        return f"{self.root}/{source}/state"

    def command(self, source: str) -> str:
        """Commands in."""
        return f"{self.root}/{source}/set"


def topic_level(label: str) -> str:
    """A label as one level of a topic that is nothing else: `bell/alarm` becomes `bell_alarm`, `state` `state_`."""
    level = re.sub(r"[+#/\s\x00-\x1f\x7f-\x9f]", "_", label)
    return f"{level}_" if level in _TAKEN else level
