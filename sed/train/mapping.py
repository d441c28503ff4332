"""From the labels of a data set to ours: a table for each, and a TOML file that changes it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sed.complaints import nearest
from sed.errors import ConfigError
from sed.toml import read_toml
from sed.train.manifest import Row

TARGETS = ("siren", "gun_shot", "glass_break")
"""What raises an alert by default: one heard in a clip of another class makes that clip suspect."""

REST = "*"
"""In a table, every label that it does not name."""

Table = Mapping[str, str]
"""A data set's label to ours; an empty name leaves its clips out. Of several labels the first in the table wins."""


def _table(*lines: str) -> Table:
    """A table from lines as `ours: theirs theirs`."""
    pairs = (line.split(":") for line in lines)
    return {label: ours for ours, theirs in pairs for label in theirs.split()}


URBANSOUND8K = _table("music: street_music")

ESC50 = _table(
    "glass_break: glass_breaking",
    "dog_bark: dog",
    "thunder: thunderstorm",
    "baby_cry: crying_baby",
    "sneeze: sneezing",
    "cough: coughing",
    "laughter: laughing",
    "snore: snoring",
    "aircraft: airplane",
    "knock: door_wood_knock",
    "typing: keyboard_typing mouse_click",
    "alarm: clock_alarm",
    "tools: hand_saw",
    "machine: washing_machine",
    "birds: chirping_birds crow",
    "animal: pig cow frog hen insects sheep",
    "human: breathing brushing_teeth drinking_sipping",
    "background: rain sea_waves crackling_fire crickets wind water_drops pouring_water toilet_flush",
)

FSD50K = _table(  # leaves before their ancestors: its labels are carried up to the root of the AudioSet ontology
    "siren: Siren",
    "gun_shot: Gunshot_and_gunfire",
    "glass_break: Shatter",
    "fireworks: Fireworks",
    "thunder: Thunder Thunderstorm",
    "explosion: Boom Explosion",
    "scream: Screaming",
    "car_horn: Vehicle_horn_and_car_horn_and_honking",
    "dog_bark: Bark",
    "drilling: Drill",
    "engine_idling: Idling",
    "hammer: Hammer",
    "tools: Sawing Power_tool Tools",
    "glass_clink: Chink_and_clink",
    "glass_impact: Glass",
    "dishes: Dishes_and_pots_and_pans Cutlery_and_silverware",
    "coins: Coin_(dropping)",
    "keys: Keys_jangling",
    "drawer: Drawer_open_or_close",
    "door_slam: Slam",
    "knock: Knock",
    "doorbell: Doorbell",
    "phone_ring: Ringtone Telephone",
    "bicycle_bell: Bicycle_bell",
    "church_bells: Church_bell",
    "wind_chimes: Wind_chime",
    "bell: Bell",
    "alarm: Alarm",
    "clock_tick: Tick-tock Tick Clock",
    "typing: Typing",
    "clapping: Clapping",
    "footsteps: Walk_and_footsteps Run",
    "cough: Cough",
    "sneeze: Sneeze",
    "laughter: Laughter",
    "crowd: Crowd Cheering Applause",
    "rooster: Chicken_and_rooster",
    "cat: Cat",
    "birds: Bird",
    "animal: Dog Animal",
    "aircraft: Fixed-wing_aircraft_and_airplane Aircraft",
    "traffic: Car_passing_by Traffic_noise_and_roadway_noise",
    "engine: Engine Vehicle",
    "impact: Crack Crushing Thump_and_thud",
    "music: Music",
    "speech: Speech",
    "human: Human_voice Respiratory_sounds",
    "machine: Mechanical_fan Mechanisms",
    "background: Rain Wind Waves_and_surf Stream Ocean Fire Water",
)

DESED = _table(
    "alarm: Alarm_bell_ringing",
    "dog_bark: Dog",
    "machine: Electric_shaver_toothbrush",
    "background: Frying Running_water",
)


def mapped(rows: Iterable[Row], table: Table) -> list[Row]:
    """The rows with our labels, less those that the table leaves out.

    A label that the table does not name keeps its name in small letters. A marked section keeps its own label; of the
    several labels of a whole file the one that comes first in the table wins. A target among the others makes the clip
    suspect.
    """
    order = {label: place for place, label in enumerate(table)}
    return [one for row in rows if (one := _mapped(row, table, order)).label]


def _mapped(row: Row, table: Table, order: Mapping[str, int]) -> Row:
    ranked = row.labels if row.section else sorted(row.labels, key=lambda label: order.get(label, len(order)))
    names = [table.get(label, table.get(REST, plain(label))) for label in ranked]
    others = [name for name in names[1:] if name in TARGETS and name != names[0]]
    return replace(row, labels=tuple(dict.fromkeys(names)), suspect=row.suspect or (others[0] if others else ""))


def plain(label: str) -> str:
    """A label as we write them: `Gun Shot` is `gun_shot`."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or label


def changed(table: Table, path: Path | None, rows: Iterable[Row]) -> Table:
    """`table` with the changes of a TOML file's `[labels]` in front; raises ConfigError, also for unknown labels."""
    if path is None:
        return table
    changes = _read(path)
    known = {label for row in rows for label in row.labels} | set(table) | {REST}
    for label, name in changes.items():
        if not isinstance(name, str):
            raise ConfigError(f"{path}: labels.{label}: need one of our labels, or '' to leave it out, got {name!r}")
        if label not in known:
            raise ConfigError(
                f"{path}: labels.{label}: the data set has no such label, {nearest(label, known - {REST})}"
            )
    return {**changes, **{label: name for label, name in table.items() if label not in changes}}


def _read(path: Path) -> dict[str, str]:
    document = read_toml(path)
    labels = document.get("labels")
    if not isinstance(labels, dict) or set(document) != {"labels"}:
        raise ConfigError(f"{path}: need one table, [labels], with lines as 'Shatter = \"glass_break\"'")
    return labels
