"""A small folder of scenes for the toy model, whose events are bursts of noise."""

from pathlib import Path

import soundfile

from sed.metadata import Rule
from tests.toy import RATE, bursts

SECONDS = 8.0
RULES = {"tone": Rule(on=0.5, off=0.4, max_gap=0.2)}
EVENTS = """filename\tonset\toffset\tevent_label
target-000.wav\t1.000\t1.500\ttone
target-000.wav\t4.000\t5.000\ttone
target-001.wav\t2.000\t3.000\ttone
distractor-000.wav\t\t\t
explosion-000.wav\t\t\t
"""
PARTS = """filename,kind,role,label,onset,offset,ebr_db,bed_dbfs,turned_down_db,clip,bed,dataset,bed_dataset
target-000.wav,target,event,tone,1.000,1.500,6.00,-42.00,0.00,a,b,A,B
target-000.wav,target,event,tone,4.000,5.000,20.00,-42.00,0.00,a,b,A,B
target-001.wav,target,event,tone,2.000,3.000,20.00,-30.00,0.00,d,b,D,B
distractor-000.wav,distractor,distractor,dishes,3.000,4.000,9.00,-40.00,0.00,c,b,C,B
explosion-000.wav,explosion,distractor,thunder,3.000,4.000,9.00,-40.00,0.00,c,b,C,B
"""


def write_folder(folder: Path) -> Path:
    """One event of three is silent, the dishes sound like a tone, and the thunder is silent, too."""
    heard: dict[str, list[tuple[float, float]]] = {
        "target-000.wav": [(1.15, 1.5), (4.15, 5.0)],
        "target-001.wav": [],
        "distractor-000.wav": [(3.0, 4.0)],
        "explosion-000.wav": [],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, spans in heard.items():
        soundfile.write(folder / name, bursts(*spans, seconds=SECONDS), RATE, subtype="FLOAT")
    (folder / "scenes.tsv").write_text(EVENTS)
    (folder / "scenes.csv").write_text(PARTS)
    return folder
