"""Streaming is the whole at once, in torch and in ONNX Runtime, for any chunking and every network."""

from collections.abc import Callable
from functools import partial

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sed.metadata import FrontendSettings, Metadata, Rule
from sed.train.ensemble import Ensemble
from sed.train.export import graph
from sed.train.kinds import KINDS
from sed.train.network import Crnn, Network, layers
from tests.train.models import Kind

LABELS = ("a", "b", "c")
ROWS = 30
CHUNKS = st.lists(st.integers(1, 9), min_size=1, max_size=ROWS)


def network(kind: str, units: int = 128) -> Network:
    """Random weights, with the statistics that training would have given them; an ensemble is of two that differ."""
    if kind == "ensemble":
        narrow = layers((16, 32, 32, 32))
        return Ensemble.of([_used(partial(Crnn, layers=narrow), units * 3 // 4, seed) for seed in (1, 2)])
    return _used(KINDS[kind], units, 0)


def _used(kind: Callable[[int, int, int], Kind], units: int, seed: int) -> Kind:
    torch.manual_seed(seed)
    made = kind(64, len(LABELS), units)
    made.normalise(torch.linspace(-10.0, -50.0, 64) - seed, torch.full((64,), 15.0 + seed))
    made.train()
    made(frames(7), *made.initial(2))
    made.eval()
    return made


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


EVERY = (*KINDS, "ensemble")
NETWORKS = {kind: network(kind) for kind in EVERY}
FILES = {kind: graph(made, metadata()) for kind, made in NETWORKS.items()}
SESSIONS = {
    kind: onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]) for kind, file in FILES.items()
}

of_each_kind = pytest.mark.parametrize("kind", EVERY)


@of_each_kind
@settings(deadline=None, max_examples=25)
@given(sizes=CHUNKS)
def test_chunking_does_not_change_torch(kind: str, sizes: list[int]) -> None:
    made, sound = NETWORKS[kind], frames(1)
    with torch.no_grad():
        whole = made(sound, *made.initial(2))
        state, parts = made.initial(2), []
        for piece in cut(ROWS, sizes):
            logits, *state = made(sound[:, piece], *state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole[0], atol=1e-5, rtol=0)
    for ours, theirs in zip(state, whole[1:], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@of_each_kind
@settings(deadline=None, max_examples=25)
@given(sizes=CHUNKS)
def test_chunking_does_not_change_onnx(kind: str, sizes: list[int]) -> None:
    made, session, sound = NETWORKS[kind], SESSIONS[kind], frames(2).numpy()
    names = [i.name for i in session.get_inputs()][1:]
    first = [part.numpy() for part in made.initial(2)]
    whole = session.run(None, {"frames": sound, **dict(zip(names, first, strict=True))})
    state, parts = first, []
    for piece in cut(ROWS, sizes):
        scores, *state = session.run(None, {"frames": sound[:, piece], **dict(zip(names, state, strict=True))})
        parts.append(scores)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole[0], atol=1e-5)


@of_each_kind
def test_streams_do_not_hear_each_other(kind: str) -> None:
    made, sound = NETWORKS[kind], frames(3)
    with torch.no_grad():
        both = made(sound, *made.initial(2))[0]
        alone = made(sound[1:], *made.initial(1))[0]
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=0)


@of_each_kind
def test_the_network_is_causal(kind: str) -> None:
    made = NETWORKS[kind]
    early = frames(4)
    late = early.clone()
    late[:, 4 * 20 :] += 30.0
    with torch.no_grad():
        a, b = (made(sound, *made.initial(2))[0] for sound in (early, late))
    torch.testing.assert_close(a[:, :20], b[:, :20], atol=1e-5, rtol=0)
    assert not torch.allclose(a[:, 20:], b[:, 20:])


@pytest.mark.parametrize("kind", KINDS)  # of an ensemble each member has an average of its own
def test_it_begins_as_if_the_average_had_sounded(kind: str) -> None:
    made = NETWORKS[kind]
    average = made.normal()[0].expand(1, 4 * ROWS, 64)
    with torch.no_grad():
        kept = made(average, *made.initial(1))[1]
    torch.testing.assert_close(kept, made.initial(1)[0])


@of_each_kind
def test_it_is_small(kind: str) -> None:
    assert sum(part.numel() for part in NETWORKS[kind].parameters()) <= 250_000
    assert len(FILES[kind]) < 1_100_000


@of_each_kind
@pytest.mark.parametrize("units", [16, 160])
def test_its_width_can_be_chosen(kind: str, units: int) -> None:
    made = network(kind, units)
    assert made(frames(1), *made.initial(2))[0].shape == (2, ROWS, 3)


def test_checkpoints_of_before_fit() -> None:
    """Their weights are found by name, what the optimiser remembers of them by position."""
    convolutions = [f"convolutions.{n}.weight" for n in range(4)]
    norms = [f"norms.{n}.{part}" for n in range(4) for part in ("weight", "bias")]
    gates = [f"recurrent.{part}_l0" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    rest = ["narrow.weight", "narrow.bias", *gates, "scores.weight", "scores.bias"]
    assert [name for name, _ in NETWORKS["crnn"].named_parameters()] == [*convolutions, *norms, *rest]
    statistics = [f"norms.{n}.{part}" for n in range(4) for part in ("running_mean", "running_var")]
    counts = [f"norms.{n}.num_batches_tracked" for n in range(4)]
    assert {name for name, _ in NETWORKS["crnn"].named_buffers()} == {"mean", "spread", *statistics, *counts}


def test_the_crnn_remembers_one_row_and_the_ends_of_four_pictures() -> None:
    shapes = [tuple(part.shape) for part in Crnn(64, 3).initial(2)]
    assert shapes == [(2, 1, 2, 64), (2, 16, 2, 32), (2, 32, 2, 16), (2, 48, 2, 8), (2, 128)]
