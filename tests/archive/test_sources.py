"""Archives listed: real folders, globs and manifests, in one order, lazily."""

import os
from pathlib import Path

import pytest

from sed.archive.sources import check, listed
from sed.errors import UsageError
from sed.source.folder import recordings


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return folder


def names(*sources: object, manifests: tuple[Path, ...] = (), told: list[str] | None = None) -> list[str]:
    complaints: list[str] = [] if told is None else told
    return [one.name for one in listed([str(source) for source in sources], manifests, complaints.append)]


def test_a_folder_in_the_order_of_its_names_as_detect_has_it(tmp_path: Path) -> None:
    touched(
        tmp_path, "take10.wav", "take2.WAV", "b/1.flac", "a/9.opus", "a/10/x.mp3", "notes.txt", ".hidden.wav", "._a.wav"
    )
    touched(tmp_path, ".trash/x.wav")
    wanted = [str(tmp_path / name) for name in ("a/10/x.mp3", "a/9.opus", "b/1.flac", "take10.wav", "take2.WAV")]
    assert names(tmp_path) == wanted
    assert [name for name in recordings([str(tmp_path)]) if "/." not in str(name)] == wanted


def test_sizes_are_known(tmp_path: Path) -> None:
    (recording,) = listed([str(touched(tmp_path, "a.wav"))], [], print)
    assert recording.size == 5


def test_folders_are_read_when_their_turn_comes(tmp_path: Path) -> None:
    touched(tmp_path, "a/1.wav", "b/1.wav")
    listing = listed([str(tmp_path)], [], print)
    assert next(listing).name.endswith("a/1.wav")
    touched(tmp_path, "b/2.wav")
    assert [Path(one.name).name for one in listing] == ["1.wav", "2.wav"]


def test_folders_that_lead_back_are_not_followed(tmp_path: Path) -> None:
    touched(tmp_path, "a/1.wav")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert names(tmp_path) == [str(tmp_path / "a/1.wav")]


def test_a_folder_inside_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched(tmp_path, "a/1.wav", "b/1.wav")
    real = os.scandir

    def scandir(path: str) -> object:  # root reads everything
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told: list[str] = []
    assert names(tmp_path, told=told) == [str(tmp_path / "b/1.wav")]
    assert told == [f"{tmp_path}/a: cannot be read (Permission denied); passed over"]
    with pytest.raises(UsageError, match=r"a: cannot be read \(Permission denied\)"):
        names(tmp_path / "a")


def test_globs(tmp_path: Path) -> None:
    touched(tmp_path, "2026/10/x.wav", "2026/9/x.wav", "2026/9/y.bin", "2025/1/x.wav")
    assert names(f"{tmp_path}/2026/*/x.wav") == [f"{tmp_path}/2026/10/x.wav", f"{tmp_path}/2026/9/x.wav"]
    assert len(names(f"{tmp_path}/**/*.wav")) == 3


def test_what_is_named_need_not_look_like_a_recording(tmp_path: Path) -> None:
    touched(tmp_path, "a.bin", "[b].bin")
    assert names(tmp_path / "a.bin", tmp_path / "[b].bin") == [f"{tmp_path}/a.bin", f"{tmp_path}/[b].bin"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("gone.wav", "gone.wav: no such file or folder"),
        ("gone/*.wav", r"gone/\*.wav: no file matches"),
        ("empty", "empty: no recordings in this folder .looked for .aif"),
    ],
)
def test_a_source_that_leads_nowhere(tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=complaint):
        check([str(tmp_path / source)], [])


def test_no_source_at_all() -> None:
    with pytest.raises(UsageError, match="needs a SOURCE"):
        check([], [])


def test_check_looks_at_every_source(tmp_path: Path) -> None:
    touched(tmp_path, "a.wav")
    check([str(tmp_path), str(tmp_path / "a.wav")], [])
    with pytest.raises(UsageError, match="gone"):
        check([str(tmp_path), str(tmp_path / "gone")], [])
