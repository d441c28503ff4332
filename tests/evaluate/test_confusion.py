"""What was told where something else was."""

from pathlib import Path

from sed.evaluate.confusion import NOTHING, confusion, worst
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Part, Scene

SHOT, GLASS, SIREN = Sound("gun_shot", 2.0, 2.2), Sound("glass_break", 5.0, 5.5), Sound("siren", 8.0, 9.0)
DISHES = Sound("dishes", 12.0, 13.0)
SCENE = Scene(
    "s.wav", Path("s.wav"), "target", (SHOT, GLASS, SIREN),
    tuple(Part(sound, 6.0, sound is not DISHES) for sound in (SHOT, GLASS, SIREN, DISHES)),
)  # fmt: skip


def test_found_mistaken_missed_and_false() -> None:
    told = [
        Sound("gun_shot", 2.1, 2.3),
        Sound("gun_shot", 5.1, 5.3),      # the glass
        Sound("glass_break", 12.3, 12.5),  # the dishes
        Sound("siren", 20.0, 21.0),        # the bed
    ]  # fmt: skip
    found = confusion([(SCENE, told)])
    assert found == {
        ("gun_shot", "gun_shot"): 1,
        ("glass_break", "gun_shot"): 1,
        ("siren", NOTHING): 1,
        ("dishes", "glass_break"): 1,
        (NOTHING, "siren"): 1,
    }


def test_late_or_in_pieces_is_still_the_right_label() -> None:
    found = confusion([(SCENE, [SHOT, GLASS, Sound("siren", 8.7, 8.8), Sound("siren", 8.9, 9.3)])])
    assert found == {("gun_shot", "gun_shot"): 1, ("glass_break", "glass_break"): 1, ("siren", "siren"): 1}


def test_the_worst_come_first() -> None:
    dishes = [Sound("glass_break", 12.3, 12.5)]
    found = confusion([(SCENE, [SHOT, GLASS, SIREN, *dishes]), (SCENE, [SHOT, GLASS, *dishes])])
    assert worst(found) == [("dishes", "glass_break", 2), ("siren", NOTHING, 1)]
    assert worst(found, 1) == [("dishes", "glass_break", 2)]
