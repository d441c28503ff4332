"""`earwitness doctor`: one line for each thing that is looked at, and what to do about it."""

import json
import sys

from rich.console import Console
from rich.text import Text

from sed.config import Config
from sed.doctor.checkup import checks
from sed.doctor.finding import Finding

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def run(config: Config, *, as_json: bool) -> int:
    """Look at everything, and say each thing as soon as it is known; returns 1 if something failed, else 0."""
    listed = checks(config)
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(check.name) for check in listed)
    found: list[Finding] = []
    for check in listed:
        for finding in check.run():
            found.append(finding)
            if not as_json:
                console.print(_line(finding, width))
    counts = {status: sum(finding.status == status for finding in found) for status in STYLES}
    if as_json:
        document = {**counts, "findings": [finding.document() for finding in found]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        console.print(", ".join(f"{count} {status}" for status, count in counts.items()))
    return 1 if counts["failed"] else 0


def _line(finding: Finding, width: int) -> Text:
    return Text.assemble((f"{finding.status:<8}", STYLES[finding.status]), f" {finding.check:<{width}}  {finding.line}")
