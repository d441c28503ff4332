"""Mistakes as they go into a document."""

from sed.evaluate.bydataset import Alarms, Events, alarms_by_class, alarms_by_dataset, events_by_dataset
from sed.evaluate.mistakes import OUTCOMES, Alarm, Fate, Mistakes
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene


def listed(made: Mistakes, label: str) -> dict[str, object]:
    """A label's events by data set, its false alarms by what lies under them, and each mistake alone."""
    return {
        "by_dataset": [_events(row) for row in events_by_dataset(made.fates_of(label))],
        "alarms_by_class": [_alarms(row) for row in alarms_by_class(made, label)],
        "alarms_by_dataset": [_alarms(row) for row in alarms_by_dataset(made, label)],
        "not_found": [_fate(fate) for fate in made.fates_of(label, *OUTCOMES[1:])],
        "alarms": [_alarm(alarm) for alarm in made.alarms_of(label)],
    }


def _events(row: Events) -> dict[str, object]:
    counts: dict[str, object] = {outcome: row.outcomes[outcome] for outcome in OUTCOMES}
    return {"dataset": row.dataset, "events": row.count, **counts, "recall": round(row.recall, 3)}


def _alarms(row: Alarms) -> dict[str, object]:
    rate = None if row.per_hour is None else round(row.per_hour, 3)
    return {
        "class": row.under, "dataset": row.dataset or None, "alarms": row.count, "recordings": row.recordings,
        "times_heard": row.times, "hours": round(row.hours, 4), "per_hour": rate,
    }  # fmt: skip


def _fate(fate: Fate) -> dict[str, object]:
    delay = None if fate.delay is None else round(fate.delay, 3)
    said = {
        "outcome": fate.outcome,
        "score": round(fate.score, 4),
        "score_at_onset": round(fate.at_onset, 4),
        "delay": delay,
    }
    return _place(fate.scene, fate.event) | said | _source(fate)


def _alarm(alarm: Alarm) -> dict[str, object]:
    return _place(alarm.scene, alarm.told) | {"score": round(alarm.score, 4), "class": alarm.under} | _source(alarm)


def _place(scene: Scene, sound: Sound) -> dict[str, object]:
    return {"scene": scene.name, "onset": round(sound.onset, 3), "offset": round(sound.offset, 3)}


def _source(one: Fate | Alarm) -> dict[str, object]:
    return {"ebr_db": one.ratio_db, "clip": one.origin.clip or None, "dataset": one.origin.dataset or None}
