"""How scenes are made: for training, for choosing rules, for measuring."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How scenes are made; levels in dB, the rest probabilities unless said otherwise."""

    events: tuple[float, ...] = (0.3, 0.4, 0.2, 0.1)  # of 0, 1, 2, 3 events
    distractors: tuple[float, ...] = (0.3, 0.35, 0.25, 0.1)
    event_to_bed: tuple[float, float] = (-6.0, 20.0)  # RMS over the event against the bed's
    quiet_bed: float = 0.2  # hiss or digital silence instead of a recorded bed
    alone: float = 0.2  # no mixture: whole files one after the other, as a replay of them would sound
    room: float = 0.55
    tone: float = 0.85
    speed: float = 0.5
    speeds: tuple[float, float] = (0.82, 1.22)  # times as fast
    peak: tuple[float, float] = (-42.0, -0.2)  # dBFS of the finished scene
    overdrive: float = 0.06  # clipped by the microphone
    abrupt: float = 0.0  # an event begins with the scene's first sample
    synthetic: float = 0.0  # a siren is made, not recorded
    far: float = 0.0  # a siren comes from afar: little over the bed, and dull
    drums: float = 0.0  # a distractor is a drum machine
    even: float = 0.0  # a distractor that is not one of the easily mistaken comes from a class drawn evenly
    certainty: float = 1.0  # an exponent: below 1, doubtful sounds count more as proof of absence
    extra: float = 0.0  # a distractor is of one of the labels that are scored besides, drawn evenly
    layered: float = 0.0  # a bed is two beds, each at another speed
    texture: float = 0.0  # a bed is a made texture
    overlay: float = 0.0  # a made texture lies over a recorded bed
    made: float = 0.0  # a distractor is made: a crackle, wheels or a creak
    busy: float = 0.0  # how often classes that go on and on are beds, beside 10 for background
    simulated: float = 0.0  # a room is a simulated box or street, not decaying noise
    stretch: float = 0.0
    stretches: tuple[float, float] = (0.8, 1.3)  # times as fast, at the same pitch
    pitch: float = 0.0
    semitones: tuple[float, float] = (-3.0, 3.0)
    equaliser: float = 0.0
    band: float = 0.0  # nothing above a random frequency, as in recordings of half the rate
    bands: tuple[float, float] = (2000.0, 7500.0)  # Hz
    clipping: float = 0.0  # a sound clipped by its own recorder, 3 to 20 dB over
    noise: float = 0.0  # under the whole scene
    noise_below: tuple[float, float] = (3.0, 30.0)  # dB
    codec: float = 0.0  # the scene coded and decoded
    hard: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # added to the easily mistaken of each label


TRAINING = Recipe()
VARIED = replace(
    TRAINING,
    distractors=(0.2, 0.35, 0.3, 0.15),
    event_to_bed=(-8.0, 22.0),
    room=0.6,
    tone=0.9,
    speed=0.7,
    speeds=(0.72, 1.35),
    abrupt=0.1,
    far=0.3,
    drums=0.08,
    even=0.5,
    certainty=0.4,
    hard={
        "gun_shot": ("explosion", "explosion", "fireworks", "thunder", "impact", "music", "music"),
        "glass_break": ("music", "impact", "dishes"),
        "siren": ("music", "speech"),
    },
)
"""More kinds of everything than TRAINING, against learning the recordings by heart; see models/experiments.md."""
BROAD = replace(VARIED, extra=0.3, layered=0.4)
"""VARIED, for models that score more labels than those they alert on, over more kinds of beds."""
RICH = replace(
    BROAD,
    simulated=0.6,
    stretch=0.1,
    pitch=0.15,
    equaliser=0.3,
    band=0.15,
    clipping=0.08,
    noise=0.2,
    codec=0.08,
)
"""BROAD in simulated rooms and streets, through more kinds of recorders."""
MEASURING = Recipe(
    events=(0.15, 0.45, 0.25, 0.15),
    quiet_bed=0.0,
    alone=0.0,
    room=0.0,
    tone=0.0,
    speed=0.0,
    peak=(-30.0, -1.0),
    overdrive=0.0,
)
"""Plain mixtures: recorded beds only, no effects."""
CHOOSING = replace(MEASURING, alone=0.25)
"""What rules are chosen on: plain mixtures, and whole files one after the other."""
RECIPES = {"training": TRAINING, "varied": VARIED, "broad": BROAD, "rich": RICH}
"""What can be learnt from, by name."""
