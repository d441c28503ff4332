"""`earwitness export-corrections`: verdicts and clips become data to train and to measure on."""

from pathlib import Path

from sed.clips.folder import ClipFolder
from sed.config import Config
from sed.corrections.correction import NOTHING, Correction, corrections
from sed.corrections.folder import KEPT, Export, export
from sed.errors import UsageError
from sed.history.filter import Filter
from sed.history.reader import History


def run(config: Config, journal: Path, clips: Path | None, which: Filter, out: Path) -> list[str]:
    """Export what `which` names; returns what to tell. Raises UsageError where audio is forbidden, or there is none."""
    if not config.may_keep_audio:
        raise UsageError("export-corrections: would write audio, which privacy.audio = false forbids")
    history, folder = History(journal), ClipFolder(clips or config.clips_folder)
    found = list(corrections(history, folder, history.walk(which)))
    own = [one for one in found if isinstance(one, Correction)]
    gone = len(found) - len(own)
    if not found:
        raise UsageError("export-corrections: no verdicts yet; give some with 'earwitness review'")
    if not own:
        raise UsageError(
            f"export-corrections: of {gone} judged events none has a clip in {folder.where}; set clips.enabled = true, "
            "and a longer clips.max_age if they are deleted too soon"
        )
    made = export(own, history, out)
    return [*_told(made, out), *([f"{gone} judged events have no clip, or none any more"] if gone else [])]


def _told(made: Export, out: Path) -> list[str]:
    classes = ", ".join(f"{count} {label}" for label, count in made.labels.most_common())
    lines = [f"{out}: {classes}; {made.count('train')} to learn from, {made.count('valid')} to measure on"]
    if made.unclear:
        lines.append(f"{made.unclear} are not measured on: other events in them have no verdict")
    alone = [label for label in made.labels if not made.count("valid", label)]
    if alone:
        lines.append(f"{', '.join(alone)}: all in one hour of one source, so none kept apart; training will want some")
    if NOTHING not in made.labels:
        lines.append(f"no false alarms among them: training will want some {NOTHING} as well")
    lines.append(f"learn: earwitness train --finetune MODEL --data {out} --out mine.onnx")
    if made.count("valid"):
        lines.append(f"measure: earwitness evaluate mine.onnx --scenes {out / KEPT}")
    return lines
