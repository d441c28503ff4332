"""What a process uses, as Linux counts it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A process that runs, by its number."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    @property
    def cpu(self) -> float:
        """Seconds of user and system time so far, all threads together."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident(self) -> float:
        """MB of memory."""
        status = (self._folder / "status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) * 1024 / 1e6

    @property
    def handles(self) -> int:
        """Open files, pipes and sockets."""
        return len(list((self._folder / "fd").iterdir()))

    @property
    def threads(self) -> int:
        """Threads."""
        return len(list((self._folder / "task").iterdir()))


class Family:
    """A process and those that it started, which may come and go."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    @property
    def cpu(self) -> float:
        """Seconds of user and system time so far, those of children that ended among them."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        own = sum(map(int, fields[11:15])) / _TICKS
        return own + sum(Process(pid).cpu for pid in self._children)

    @property
    def resident(self) -> float:
        """MB of memory, what they share counted once."""
        pids = [int(self._folder.name), *self._children]
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids]
        kilobytes = [int(line.split()[1]) for lines in rollups for line in lines if line.startswith("Pss:")]
        return sum(kilobytes) * 1024 / 1e6

    @property
    def _children(self) -> list[int]:
        tasks = (self._folder / "task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
