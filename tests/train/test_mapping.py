"""Their labels to ours, and the TOML file that changes it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sed.errors import ConfigError
from sed.train.manifest import Row
from sed.train.mapping import DESED, ESC50, FSD50K, TARGETS, changed, mapped, plain

ROW = Row("a.wav", ("Bark",))
TABLE = {"Shatter": "glass_break", "Siren": "siren", "Glass": "glass_impact"}


def labels(*rows: Row, table: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(row.label, row.suspect) for row in mapped(rows, TABLE if table is None else table)]


@pytest.mark.parametrize(("theirs", "ours", "suspect"), [
    (("Glass", "Shatter"), "glass_break", ""),  # the first in the table, not the first in the row
    (("Bark", "Glass"), "glass_impact", ""),
    (("Siren", "Shatter"), "glass_break", "siren"),
    (("Zipper (clothing)",), "zipper_clothing", ""),
])  # fmt: skip
def test_several_labels(theirs: tuple[str, ...], ours: str, suspect: str) -> None:
    assert labels(replace(ROW, labels=theirs)) == [(ours, suspect)]


def test_a_marked_section_keeps_its_label() -> None:
    assert labels(replace(ROW, labels=("Bark", "Siren"), section=(0.0, 1.0))) == [("bark", "siren")]


def test_left_out() -> None:
    assert labels(ROW, replace(ROW, labels=("Siren",)), table={**TABLE, "*": ""}) == [("siren", "")]
    assert labels(replace(ROW, labels=("Glass", "Siren")), table={"Siren": "", "Glass": "glass"}) == []


def test_what_is_suspect_stays_so() -> None:
    assert labels(replace(ROW, suspect="gun_shot")) == [("bark", "gun_shot")]


def test_changes_go_in_front(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"
    file.write_text('[labels]\nGlass = "glass_break"\n"*" = "other"\n')
    table = changed(TABLE, file, [ROW])
    assert list(table) == ["Glass", "*", "Shatter", "Siren"]
    assert [row.label for row in mapped([ROW, replace(ROW, labels=("Glass",))], table)] == ["other", "glass_break"]


@pytest.mark.parametrize(("text", "message"), [
    ("[labels]\nBurk = 'x'", r"labels\.Burk: the data set has no such label, did you mean 'Bark'\?"),
    ("[labels]\nBark = 3", r"labels\.Bark: need one of our labels, or '' to leave it out, got 3"),
    ("[label]\nBark = 'x'", r"need one table, \[labels\]"),
    ("labels = 3", r"need one table, \[labels\]"),
    ("[labels", "not TOML"),
])  # fmt: skip
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "labels.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        changed(TABLE, file, [ROW])


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory; name a readable TOML file"):
        changed(TABLE, tmp_path / "labels.toml", [ROW])


def test_the_tables_reach_our_targets() -> None:
    assert set(TARGETS) <= set(FSD50K.values())
    assert ESC50["glass_breaking"] == "glass_break"
    for table in (ESC50, FSD50K, DESED):
        assert [name for name in table.values() if name != plain(name)] == []
