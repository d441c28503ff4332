"""Streaming is the whole at once, in torch and in ONNX Runtime, for any chunking."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sed.metadata import FrontendSettings, Metadata, Rule
from sed.train.export import graph
from sed.train.network import Crnn

LABELS = ("a", "b", "c")
ROWS = 30
CHUNKS = st.lists(st.integers(1, 9), min_size=1, max_size=ROWS)


def network(seed: int = 0, units: int = 128) -> Crnn:
    """Random weights, with the statistics that training would have given it."""
    torch.manual_seed(seed)
    made = Crnn(64, len(LABELS), units)
    made.normalise(torch.linspace(-10.0, -50.0, 64), torch.full((64,), 15.0))
    made.train()
    made(frames(7), *made.initial(2))
    return made.eval()


def frames(seed: int, rows: int = ROWS) -> Tensor:
    return -40.0 + 20.0 * torch.randn(2, 4 * rows, 64, generator=torch.Generator().manual_seed(seed))


def metadata() -> Metadata:
    return Metadata(
        name="t", version="0", labels=LABELS, frontend=FrontendSettings(), rules={n: Rule() for n in LABELS},
        licence="MIT",
    )  # fmt: skip


def cut(rows: int, sizes: list[int]) -> list[slice]:
    """Slices of frames that cover `rows` rows, the sizes used again and again."""
    found: list[slice] = []
    at = 0
    while at < rows:
        size = min(sizes[len(found) % len(sizes)], rows - at)
        found.append(slice(4 * at, 4 * (at + size)))
        at += size
    return found


NETWORK = network()
SESSION = onnxruntime.InferenceSession(graph(NETWORK, metadata()), providers=["CPUExecutionProvider"])


@settings(deadline=None, max_examples=25)
@given(sizes=CHUNKS)
def test_chunking_does_not_change_torch(sizes: list[int]) -> None:
    sound = frames(1)
    with torch.no_grad():
        whole = NETWORK(sound, *NETWORK.initial(2))
        state, parts = NETWORK.initial(2), []
        for piece in cut(ROWS, sizes):
            logits, *state = NETWORK(sound[:, piece], *state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole[0], atol=1e-5, rtol=0)
    for ours, theirs in zip(state, whole[1:], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@settings(deadline=None, max_examples=25)
@given(sizes=CHUNKS)
def test_chunking_does_not_change_onnx(sizes: list[int]) -> None:
    sound = frames(2).numpy()
    names = [i.name for i in SESSION.get_inputs()][1:]
    first = [part.numpy() for part in NETWORK.initial(2)]
    whole = SESSION.run(None, {"frames": sound, **dict(zip(names, first, strict=True))})
    state, parts = first, []
    for piece in cut(ROWS, sizes):
        scores, *state = SESSION.run(None, {"frames": sound[:, piece], **dict(zip(names, state, strict=True))})
        parts.append(scores)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole[0], atol=1e-5)


def test_streams_do_not_hear_each_other() -> None:
    sound = frames(3)
    with torch.no_grad():
        both = NETWORK(sound, *NETWORK.initial(2))[0]
        alone = NETWORK(sound[1:], *NETWORK.initial(1))[0]
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=0)


def test_the_network_is_causal() -> None:
    early = frames(4)
    late = early.clone()
    late[:, 4 * 20 :] += 30.0
    with torch.no_grad():
        a, b = (NETWORK(sound, *NETWORK.initial(2))[0] for sound in (early, late))
    torch.testing.assert_close(a[:, :20], b[:, :20], atol=1e-5, rtol=0)
    assert not torch.allclose(a[:, 20:], b[:, 20:])


def test_it_begins_as_if_the_average_had_sounded() -> None:
    average = NETWORK.mean.expand(1, 4 * ROWS, 64)
    with torch.no_grad():
        *kept, _ = NETWORK(average, *NETWORK.initial(1))[1:]
    torch.testing.assert_close(kept[0], NETWORK.initial(1)[0])


def test_it_is_small(tmp_path: Path) -> None:
    assert sum(part.numel() for part in NETWORK.parameters()) <= 250_000
    assert len(graph(NETWORK, metadata())) < 1_100_000


@pytest.mark.parametrize("units", [16, 160])
def test_the_width_of_the_gru_can_be_chosen(units: int) -> None:
    made = network(units=units)
    assert made(frames(1), *made.initial(2))[0].shape == (2, ROWS, 3)
