"""What a check finds, and checks that can neither throw nor hang."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Literal

from sed.errors import EarwitnessError

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it is, what was found, and what to do about it."""

    status: Status
    found: str
    advice: str = ""
    check: str = ""

    @property
    def line(self) -> str:
        """For people."""
        return f"{self.found}; {self.advice}" if self.advice else self.found

    def document(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def ok(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def warning(found: str, advice: str) -> Finding:
    """It works, and may not for long, or not well."""
    return Finding("warning", found, advice)


def failed(found: str, advice: str = "") -> Finding:
    """It does not work."""
    return Finding("failed", found, advice)


def refused(line: str) -> Finding:
    """An error's line, which tells what to do behind its first semicolon."""
    found, _, advice = line.partition("; ")
    return failed(found, advice)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: `look` gives what it finds."""

    name: str
    look: Callable[[], Iterable[Finding]]
    limit: float = 20.0  # seconds

    def run(self) -> list[Finding]:
        """What is found; never raises, and leaves a check that takes too long to itself."""
        found: list[Finding] = []
        thread = threading.Thread(target=self._fill, args=(found,), name=f"check {self.name}", daemon=True)
        thread.start()
        thread.join(self.limit)
        if thread.is_alive():
            found = [*found, failed(f"no answer within {self.limit:g} s", "see whether what it asks hangs")]
        return [replace(finding, check=self.name) for finding in found]

    def _fill(self, found: list[Finding]) -> None:
        try:
            for finding in self.look():
                found.append(finding)  # noqa: PERF402 - what was found before an error stays
        except EarwitnessError as error:
            found += [refused(line) for line in str(error).splitlines()]
        except Exception as error:  # noqa: BLE001 - one check that is broken does not stop the others
            found.append(failed(f"could not be checked ({type(error).__name__}: {error})", "please report this"))
