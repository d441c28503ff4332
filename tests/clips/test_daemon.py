"""Clips of the daemon as people run it: its own process, recordings as microphones, real signals."""

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.config import load
from sed.daemon import Daemon
from sed.errors import ConfigError
from tests.broker import eventually
from tests.daemon import SOON, START_SECONDS, Run
from tests.toy import RATE, bursts, metadata, write_toy

SOURCES = {
    "yard": bursts((1.0, 1.4), seconds=2.6, seed=1),
    "street": bursts((0.8, 1.3), seconds=2.6, seed=2),
    "siren": bursts((0.6, 120.0), seconds=120.0, seed=3),
    "beats": bursts(*[(n + 0.5, n + 0.8) for n in range(180)], seconds=180.0, seed=4),
}
CLIPS = "[clips]\nenabled = true\npre = 0.3\npost = 0.4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    for name, sound in SOURCES.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, "PCM_16")
    return tmp_path


def configured(folder: Path, *sources: str, tables: str = CLIPS) -> Path:
    lines = ['node = "gate"', f'model = "{folder / "toy.onnx"}"']
    lines += [f'[[source]]\nname = "{name}"\nurl = "file:{name}.wav"' for name in sources]
    lines += ['[journal]\npath = "journal.db"', tables]
    (folder / "gate.toml").write_text("\n".join(lines))
    return folder / "gate.toml"


def files(folder: Path) -> list[str]:
    where = folder / "clips"
    return sorted(path.name for path in where.iterdir()) if where.exists() else []


def found_at(folder: Path, event: dict[str, object]) -> tuple[float, float]:
    """Where in its source's recording a clip lies, bit for bit, in seconds."""
    clip, _ = soundfile.read(folder / "clips" / str(event["clip"]), dtype="int16")
    whole, _ = soundfile.read(folder / f"{event['source']}.wav", dtype="int16")
    assert len(clip) > RATE // 4
    place = whole.tobytes().find(np.asarray(clip).tobytes())
    assert place >= 0, "the clip is not a part of the recording"
    return place / 2 / RATE, (place / 2 + len(clip)) / RATE


def test_clips_of_two_sources_are_parts_of_their_recordings(folder: Path) -> None:
    with Run(folder, "-c", configured(folder, "yard", "street")) as run:
        assert run.end() == 0
    ends = {str(event["source"]): event for event in run.events("end")}
    assert files(folder) == sorted(str(event["clip"]) for event in ends.values())
    assert {str(event["clip"]) for event in run.events("start")} == set(files(folder))
    assert found_at(folder, ends["yard"]) == pytest.approx((0.7, 1.8), abs=0.13)
    assert found_at(folder, ends["street"]) == pytest.approx((0.5, 1.7), abs=0.13)


def test_sigterm_during_an_event_finishes_its_clip_in_time(folder: Path) -> None:
    with Run(folder, "-c", configured(folder, "siren")) as run:
        eventually(lambda: run.events("start") and files(folder), START_SECONDS)
        assert files(folder) == [f"{run.events('start')[0]['clip']}.part"]
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
    (end,) = run.events("end")
    assert files(folder) == [end["clip"]]
    begins, ends = found_at(folder, end)
    assert begins == pytest.approx(0.3, abs=0.13)
    assert ends > begins + 0.3 + float(end["duration"]) - 0.05


def test_after_kill_9_what_was_half_written_is_gone_and_no_event_names_it(folder: Path) -> None:
    config = configured(folder, "siren")
    with Run(folder, "-c", config) as run:
        eventually(lambda: run.events("start") and files(folder), START_SECONDS)
        run.send(signal.SIGKILL)
        run.end()
    (part,) = files(folder)
    assert part.endswith(".flac.part")
    with Run(folder, "-c", configured(folder, "yard")) as run:
        assert run.end() == 0
    abandoned, *_, end = run.events("end")
    assert (part, abandoned["clip"]) == (f"{abandoned['id']}.flac.part", None)
    assert files(folder) == [end["clip"]]
    assert run.said("deleted 1 that were never finished")


def reloaded(run: Run, tables: Callable[[str], Path], text: str, taken: bool = True) -> None:
    tables(text)
    run.reload(taken=taken)


def test_sighup_brings_clips_and_takes_them_away_and_no_sample_is_lost(folder: Path) -> None:
    def tables(text: str) -> Path:
        return configured(folder, "beats", tables=text)

    with Run(folder, "-c", tables("")) as run:
        eventually(lambda: run.events("end"), START_SECONDS)
        assert files(folder) == []
        reloaded(run, tables, CLIPS)
        eventually(lambda: len(whole(folder)) >= 2)
        reloaded(run, tables, f"{CLIPS}[privacy]\naudio = false\n", taken=False)
        assert run.said("clips.enabled: should be false where privacy.audio = false forbids it, got true")
        before = len(whole(folder))
        eventually(lambda: len(whole(folder)) > before)
        reloaded(run, tables, "[privacy]\naudio = false\n")
        eventually(lambda: len(whole(folder)) == len(files(folder)))
        left, told = files(folder), len(run.events("end"))
        eventually(lambda: len(run.events("end")) >= told + 2)
        assert files(folder) == left
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
    ends = [event for event in run.events("end") if event["clip"] in left]
    assert len(ends) == len(left) >= 3
    for end in ends:
        begins, ending = found_at(folder, end)
        assert ending - begins == pytest.approx(1.0, abs=0.13)
    assert {event["lost_samples"] for event in run.events()} == {0}
    assert run.said(f"privacy.audio = false, but {len(left)} clips from before lie there")


def whole(folder: Path) -> list[str]:
    return [name for name in files(folder) if name.endswith(".flac")]


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        ('[clips]\nlabels = ["ton"]\n', "clips.labels: no such label 'ton', did you mean 'tone'?"),
        (
            f"{CLIPS}[privacy]\naudio = false\n",
            "clips.enabled: should be false where privacy.audio = false forbids it, got true",
        ),
    ],
)
def test_check_says_what_is_wrong_with_clips(folder: Path, tables: str, complaint: str) -> None:
    config = configured(folder, "yard", tables=tables)
    with pytest.raises(ConfigError) as wrong:
        Daemon(lambda: load(config))
    assert str(wrong.value) == f"{config}: {complaint}"


def test_check_says_where_clips_will_lie(folder: Path) -> None:
    summary = Daemon(lambda: load(configured(folder, "yard"))).summary
    assert summary.endswith(f", no broker, clips in {folder / 'clips'}")
    assert not (folder / "clips").exists()
