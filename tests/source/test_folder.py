"""Which recordings a command line names, and in which order."""

from pathlib import Path

from sed.errors import UsageError
from sed.source.folder import recordings


def test_files_keep_their_order_and_folders_are_walked_by_name(tmp_path: Path) -> None:
    for name in ("b.wav", "a.FLAC", "notes.txt", "deep/c.ogg", "deep/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = list(recordings(["z.wav", str(tmp_path), "-", "odd.name"]))
    here = [str(tmp_path / name) for name in ("a.FLAC", "b.wav", "deep/c.ogg")]
    assert found == ["z.wav", *here, "-", "odd.name"]


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    error, other = recordings([str(tmp_path), "a.wav"])
    assert isinstance(error, UsageError)
    assert str(error).startswith(f"{tmp_path}: no recordings in this folder (looked for .aif")
    assert other == "a.wav"
