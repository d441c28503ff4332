"""Reference lists on disk."""

from pathlib import Path

import pytest

from sed.errors import UsageError
from sed.evaluate.reference import Sound, read_references

HEADER = "filename\tonset\toffset\tevent_label\n"


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reference.tsv"
    path.write_text(text)
    return path


def test_events_by_file(tmp_path: Path) -> None:
    path = listed(tmp_path, HEADER + "a.wav\t1\t2.5\tsiren\na.wav\t3\t3.1\tgun_shot\nquiet.wav\t\t\t\n")
    assert read_references(path) == {
        "a.wav": [Sound("siren", 1.0, 2.5), Sound("gun_shot", 3.0, 3.1)],
        "quiet.wav": [],
    }


@pytest.mark.parametrize(("text", "message"), [
    ("filename\tonset\n", "lacks offset, event_label"),
    (HEADER + "a\tx\t2\tsiren\n", r"reference\.tsv:2: onset and offset need to be seconds"),
    (HEADER + "a\t1\t2\tsiren\na\t3\t2\tsiren\n", r"reference\.tsv:3: need onset <= offset, got 3 and 2"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_references(listed(tmp_path, text))


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_references(tmp_path / "none.tsv")
