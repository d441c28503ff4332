"""What simple classifiers are given: where a clip begins, how it is filled up, and its MFCCs."""

import numpy as np

from sed.frontend import log_mel
from sed.train.clips import Clip
from sed.train.clipset import COEFFICIENTS, FRAMES, SETTINGS, gather, mean_mfcc
from sed.train.library import Library

LABELS = ("siren", "gun_shot", "glass_break")


def test_labels_first_then_the_others(library: Library, clips: list[Clip]) -> None:
    found = gather(library, clips, "train", LABELS, None, 0)
    assert [clip.label for clip in found.clips] == [*LABELS, "background", "explosion", "speech"]
    assert found.classes.tolist() == [0, 1, 2, 3, 3, 3]  # the suspect background is left out
    assert found.truth(3).sum(axis=0).tolist() == [1, 1, 1]
    assert (found.mel.shape, found.mfcc.shape) == ((6, FRAMES, SETTINGS.mels), (6, COEFFICIENTS))


def test_as_many_others_as_asked_for(library: Library, clips: list[Clip]) -> None:
    first, again, *more = (gather(library, clips, "train", LABELS, 1, seed).clips for seed in (0, 0, 1, 2, 3, 4, 5))
    assert first == again
    assert {len(one) for one in (first, *more)} == {4}
    assert any(one != first for one in more)


def test_a_short_clip_is_filled_up_with_silence(library: Library, clips: list[Clip]) -> None:
    found = gather(library, clips, "train", LABELS, 1, 0)
    shot = found.mel[1].astype(np.float32)  # 0.8 s: 77 frames, 38 pairs
    own = log_mel(library.samples(found.clips[1]), SETTINGS)[:76].reshape(38, 2, SETTINGS.mels).mean(axis=1)
    np.testing.assert_allclose(shot[:38], own, atol=0.05)
    assert (shot[38:] == -100.0).all()


def test_mfccs_of_a_flat_spectrum_have_one_coefficient() -> None:
    found = mean_mfcc(np.full((7, 64), -20.0, np.float32))
    np.testing.assert_allclose(found, [-160.0] + [0.0] * 39, atol=1e-4)  # -20 * sqrt(64)
