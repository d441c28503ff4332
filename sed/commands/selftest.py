"""`earwitness selftest`: a siren of our own, and how long its alert took."""

from rich.console import Console

from sed.config import Config
from sed.errors import UsageError
from sed.selftest.siren import LABEL, SECONDS
from sed.selftest.trial import NAME, Verdict, microphone, through_the_air, through_the_path


def run(config: Config, *, speaker: bool, output: str | None, source: str | None) -> int:
    """Let it sound, and say how it went; returns 0 if the alert came, began and ended as it should, else 1."""
    if not speaker and (output or source):
        raise UsageError("selftest: --output and --source are for --speaker; add it, or leave them out")
    console = Console(highlight=False, soft_wrap=True)
    where = (
        f"a second client of {config.mqtt.url}" if config.mqtt else "a reader of the JSON lines (there is no broker)"
    )
    way = f"{SECONDS:g} s of {LABEL} {'on the loudspeaker' if speaker else 'through the path of sound'}"
    console.print(f"{way}, as {config.node}-{NAME}/{NAME}; {where} waits for the alert", markup=False)
    heard_by = microphone(config, source) if speaker else None
    verdict = through_the_air(config, heard_by, output or "") if heard_by else through_the_path(config)
    if verdict.alert:
        console.print(_told(verdict), markup=False)
    console.print(_conclusion(verdict, speaker=speaker), markup=False)
    return 1 if verdict.missing else 0


def _told(verdict: Verdict) -> str:
    alert = verdict.alert
    if alert is None:
        return ""
    onset, certain = alert.after("onset"), alert.after("detected_at")
    line = f"{LABEL}, score {alert.message['score']:.2f}, {alert.message['level_dbfs']:.1f} dBFS: "
    line += f"told {onset:.2f} s after its onset ({1000 * certain:.0f} ms after it was certain)"
    if verdict.played_at:
        line += f", {(alert.at - verdict.played_at).total_seconds():.2f} s after it was played"
    return line


def _conclusion(verdict: Verdict, *, speaker: bool) -> str:
    if not verdict.missing:
        return "passed: the alert came, began and ended"
    rejected = f" (rejected: {verdict.rejected}; see [rules.{LABEL}])" if verdict.rejected else ""
    advice = "turn the loudspeaker up, or bring it closer" if speaker else "'earwitness doctor' looks for what is wrong"
    return f"failed: {verdict.missing}{rejected}; {advice}"
