"""The log as a terminal, a file and journald get it."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sed.logs import JournalFormat, TerminalFormat, is_journal

SPEAKING = """
import logging, threading
from sed import logs
logs.begin("info")
logging.getLogger("sed.x").warning("broker %s: gone", "gate")
logging.getLogger("sed.x").debug("nobody wants to know")
thread = threading.Thread(target=lambda: 1 / 0, name="ear yard")
thread.start()
thread.join()
"""


def spoken(log: Path, journal: bool) -> list[str]:
    with log.open("wb") as stream:
        status = os.fstat(stream.fileno())
        where = f"{status.st_dev}:{status.st_ino}" if journal else "8:4711"  # inherited, and not ours
        command = [sys.executable, "-c", SPEAKING]
        subprocess.run(command, stderr=stream, check=True, env=os.environ | {"JOURNAL_STREAM": where})
    return log.read_text().splitlines()


def test_journald_gets_priorities_and_no_times(tmp_path: Path) -> None:
    assert spoken(tmp_path / "log", journal=True) == [
        "<4>broker gate: gone",
        "<2>ear yard: ZeroDivisionError: division by zero",
    ]


def test_others_get_the_time_in_utc_and_the_level(tmp_path: Path) -> None:
    first, second = spoken(tmp_path / "log", journal=False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning broker gate: gone", first)
    assert second.endswith("Z critical ear yard: ZeroDivisionError: division by zero")


def test_a_log_outlives_standard_error(tmp_path: Path) -> None:
    """sounddevice lets it lead nowhere while it looks for devices, which takes a second on a busy computer."""
    silenced = 'logs.begin("info")\nimport os\nos.dup2(os.open(os.devnull, os.O_WRONLY), 2)'
    with (tmp_path / "log").open("wb") as stream:
        command = [sys.executable, "-c", SPEAKING.replace('logs.begin("info")', silenced)]
        subprocess.run(command, stderr=stream, check=True)
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_every_line_of_a_traceback_has_its_priority() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("sed", logging.ERROR, "", 0, "%s broke", ("it",), sys.exc_info())
    lines = JournalFormat().format(record).splitlines()
    assert lines[0] == "<3>it broke"
    assert lines[-1] == "<3>ValueError: why"
    assert all(line.startswith("<3>") for line in lines)


def test_the_time_is_the_records_own() -> None:
    record = logging.LogRecord("sed", logging.INFO, "", 0, "hello", (), None)
    record.created, record.msecs = 1_795_143_541.24, 240.0
    assert TerminalFormat().format(record) == "2026-11-20T02:59:01.240Z info hello"


@pytest.mark.parametrize("where", [None, "", "8:4711"])
def test_a_stream_that_leads_elsewhere_is_not_the_journal(tmp_path: Path, where: str | None) -> None:
    with (tmp_path / "log").open("w") as stream:
        assert not is_journal(stream, {} if where is None else {"JOURNAL_STREAM": where})
