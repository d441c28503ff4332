"""JSON lines: what was appended, line by line, wherever they go."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sed.errors import SinkError
from sed.journal import Journal
from sed.message import Message
from sed.sinks.jsonlines import JsonLines
from tests.broker import eventually
from tests.messages import message


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


def last_line_is(path: Path, expected: Message) -> bool:
    return path.read_text().endswith(json.dumps(expected) + "\n")


def lines(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]


def test_only_messages_of_this_run_in_order(journal: Journal) -> None:
    journal.append(message())
    told = [message(), message("end", label="Glas zerbricht: ä"), message()]
    stream = io.StringIO()
    with JsonLines(journal, stream):
        for each in told:
            journal.append(each)
    assert lines(stream.getvalue()) == told
    assert not stream.closed


def test_standard_output_is_the_default(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    with JsonLines(journal):
        journal.append(message(name="A"))
    (told,) = lines(capsys.readouterr().out)
    assert told == message(name="A")


def test_a_file_is_appended_to_and_flushed_line_by_line(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for name in ("A", "B"):
        with JsonLines(journal, path):
            journal.append(message(name=name))
            eventually(partial(last_line_is, path, message(name=name)))
    assert lines(path.read_text()) == [message(name="A"), message(name="B")]


def test_a_file_that_cannot_be_opened(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="is a directory; name a file that this user can write"):
        JsonLines(journal, tmp_path)


def test_a_reader_that_goes_away_ends_the_lines_only(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.messages import message
from sed.journal import Journal
from sed.sinks.jsonlines import JsonLines
with Journal(Path(sys.argv[1])) as journal, JsonLines(journal):
    for _ in range(50):
        journal.append(message())
        time.sleep(0.005)
    print(journal.last, file=sys.stderr)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "j.db"), str(Path(__file__).parents[2])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
    assert told == "JSON lines end here: [Errno 32] Broken pipe; events go on to the journal\n50\n"
    assert process.returncode == 0
