"""Looking back from the shell: lists, exports and verdicts, as people call them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sed.cli import app
from sed.cli.remembering import moment_of
from sed.commands import events as command
from sed.errors import SinkError, UsageError
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import rfc3339
from tests.messages import message
from tests.test_cli import earwitness


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A siren an hour ago that was a car horn, a siren that still sounds."""
    path, now = tmp_path / "journal.db", datetime.now(UTC)
    with Journal(path) as opened:
        onset = rfc3339(now - timedelta(hours=1))
        opened.append(message(name="A", onset=onset))
        opened.append(message("end", name="A", onset=onset, score=0.9123, model="=1+1"))
        opened.append(message(name="B", onset=rfc3339(now), source="street"))
    Verdicts(path).give("A", "other", "car_horn", comment='far,\u00a0"quiet"')
    return path


def shown(journal: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    command.run(journal, Filter(), command.Wish(name))
    return capsys.readouterr().out


def test_csv_and_tsv_have_a_column_for_everything(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(shown(journal, "csv", capsys))))
    assert [row["id"] for row in rows] == ["B", "A"]
    assert tuple(rows[0]) == command.COLUMNS
    assert (rows[1]["score"], rows[1]["verdict"], rows[1]["verdict_label"]) == ("0.9123", "other", "car_horn")
    assert rows[1]["verdict_comment"] == 'far,\u00a0"quiet"'
    assert (rows[0]["offset"], rows[0]["verdict"]) == ("", "")
    lines = [line.split("\t") for line in shown(journal, "tsv", capsys).splitlines()]
    assert lines[0] == list(command.COLUMNS)
    assert [len(line) for line in lines] == [len(command.COLUMNS)] * 3


def test_json_is_what_the_reader_gives(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = [event.document() for event in History(journal).walk()]
    assert json.loads(shown(journal, "json", capsys)) == documents
    assert [json.loads(line) for line in shown(journal, "jsonl", capsys).splitlines()] == documents
    command.run(journal, Filter(labels=("nothing",)), command.Wish("json"))
    assert json.loads(capsys.readouterr().out) == []


def test_the_table_is_for_people(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(journal) as opened:
        opened.append(message(name="C", label="\x1b[2J"))
    monkeypatch.setenv("COLUMNS", "160")
    table = shown(journal, "table", capsys)
    assert "car_horn" in table
    assert "goes on" in table
    assert "\x1b" not in table
    command.run(journal, Filter(labels=("nothing",)), command.Wish("table"))
    assert capsys.readouterr().out == "no events\n"


def test_a_table_has_an_end(journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ROWS", 1)
    command.run(journal, Filter(), command.Wish("table"))
    assert "the newest 1; --limit N shows more" in capsys.readouterr().out
    command.run(journal, Filter(), command.Wish("table", limit=5))
    assert "the newest" not in capsys.readouterr().out


def test_a_file_is_whole_or_not_there(journal: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    command.run(journal, Filter(), command.Wish("csv", out, limit=1))
    assert len(out.read_text().splitlines()) == 2
    with pytest.raises(SinkError, match=r"--output .*/gone/out\.csv: no such file or directory; name a file"):
        command.run(journal, Filter(), command.Wish("csv", tmp_path / "gone" / "out.csv"))
    (tmp_path / "journal.db").rename(tmp_path / "moved.db")
    with pytest.raises(SinkError, match="no such file"):
        command.run(journal, Filter(), command.Wish("csv", tmp_path / "other.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db.lock", "moved.db", "out.csv"]


def shell(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    app([str(argument) for argument in arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_from_the_shell(journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gate.toml").write_text('[journal]\npath = "journal.db"\n')
    asked = earwitness(
        "events", "-c", tmp_path / "gate.toml", "--since", "30m", "--verdict", "none", "--source", "street"
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    assert [line.split("\t")[0] for line in asked.stdout.splitlines()] == ["id", "B"]
    assert shell(capsys, "verdict", "B", "wrong", "--journal", journal) == "B: wrong\n"
    assert shell(capsys, "verdict", "A", "none", "--journal", journal) == "A: no verdict any more\n"
    left = shell(capsys, "events", "--journal", journal, "--verdict", "given", "-f", "jsonl")
    assert [json.loads(line)["id"] for line in left.splitlines()] == ["B"]


def test_verdicts_are_told_in_words(journal: Path) -> None:
    assert command.give(journal, "B", "right", None) == "B: right"
    assert command.give(journal, "B", "car_horn", None) == "B: it was car_horn"
    assert command.give(journal, "B", "none", None) == "B: no verdict any more"
    assert command.give(journal, "B", "none", None) == "B: there was no verdict"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["events", "--format", "xml"], "--format xml: unknown; choose one of table, csv, json, jsonl, tsv"),
        (
            ["events", "--since", "soon"],
            "--since soon: need an age such as 12h or 7d, today, yesterday, or a time such",
        ),
        (["events", "--min-score", "2"], "min_score: need a number from 0 to 1, got 2.0"),
        (["events", "--verdict", "maybe"], "verdict: need one of right, wrong, other, given, none, got 'maybe'"),
        (["events", "--since", "1h", "--until", "2h"], "since: need a time before until"),
        (["verdict", "Z", "right"], "event 'Z': not in the journal"),
        (["verdict", "A", "car horn"], "need a label of letters, digits, _ and -, such as car_horn, got 'car horn'"),
    ],
)
def test_wrong_use_is_told(journal: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as wrong:
        app([*arguments, "--journal", str(journal)], standalone_mode=False)
    assert message in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_no_journal_is_told(tmp_path: Path) -> None:
    done = earwitness("events", "--journal", tmp_path / "none.db")
    assert done.returncode == 1
    assert "none.db: no such file; 'earwitness run' makes it" in done.stderr


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("1.5 d", datetime(2026, 11, 19, 0, 0, tzinfo=UTC)),
        ("7d ago", datetime(2026, 11, 13, 12, 0, tzinfo=UTC)),
        ("2026-11-20T03:00:00Z", datetime(2026, 11, 20, 3, 0, tzinfo=UTC)),
        ("2026-11-20T03:00+01:00", datetime(2026, 11, 20, 2, 0, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20).astimezone(UTC)),  # the wall clock's midnight
        ("today", NOW.astimezone().replace(hour=0, tzinfo=None).astimezone(UTC)),
        ("yesterday", (NOW.astimezone().replace(hour=0, tzinfo=None) - timedelta(days=1)).astimezone(UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert moment_of("--since", text, NOW) == moment


@pytest.mark.parametrize("text", ["", "7", "7y", "-2h", "999999w", "2026-13-01", "0001-01-01", "٣h"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since .*: need an age"):
        moment_of("--since", text, NOW)
