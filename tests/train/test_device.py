"""Precision and place: what can be known without a GPU. float16 and its scaled gradients really run, on the CPU."""

import pytest
import torch
from torch import nn

from sed.errors import UsageError
from sed.train import device as places
from sed.train.device import STEEPEST, Device, device_of
from sed.train.losses import bce
from sed.train.network import Crnn

CPU = torch.device("cpu")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match=r"^device cuda: .*; choose cpu or auto$"):
        device_of("cuda", mixed=True)
    assert device_of("auto", mixed=True).place == CPU


@pytest.mark.parametrize(
    ("mixed", "capable", "half"), [(True, True, torch.bfloat16), (True, False, None), (False, True, None)]
)
def test_a_cpu_without_bfloat16_does_not_pretend(
    monkeypatch: pytest.MonkeyPatch, mixed: bool, capable: bool, half: torch.dtype | None
) -> None:
    """The choice only: what this machine's CPU has is asked of oneDNN."""
    assert isinstance(places._cpu_has_bfloat16(), bool)
    monkeypatch.setattr(places, "_cpu_has_bfloat16", lambda: capable)
    chosen = device_of("cpu", mixed)
    assert (chosen.place, chosen.half, chosen.scaler.is_enabled(), str(chosen)) == (CPU, half, False, "cpu")


@pytest.mark.parametrize(("capable", "half"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_without_bfloat16_gets_float16(monkeypatch: pytest.MonkeyPatch, capable: bool, half: torch.dtype) -> None:
    """The choice only: no GPU is touched by it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: capable)
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    for choice in ("auto", "cuda"):
        device = device_of(choice, mixed=True)
        assert (device.place.type, device.half) == ("cuda", half)
        assert device.scaler.is_enabled() == (half == torch.float16)
    assert device_of("cpu", mixed=True).place == CPU
    assert device_of("cuda", mixed=False).half is None


def learner() -> tuple[Crnn, torch.optim.Optimizer]:
    torch.manual_seed(3)
    network = Crnn(64, 2, 8, dropout=(0.0, 0.0)).train()
    return network, torch.optim.SGD(network.parameters(), 0.5)


def learnt(device: Device, steps: int = 5) -> list[float]:
    """The losses of a few steps on one batch."""
    chance = torch.Generator().manual_seed(0)
    frames = 10.0 * torch.randn(2, 40, 64, generator=chance)
    target = (torch.rand(2, 10, 2, generator=chance) < 0.3).float()
    network, optimiser = learner()
    network.to(device.place)
    losses = []
    for _ in range(steps):
        there = device.take((frames, target, torch.ones_like(target), *network.initial(2)))
        with device.autocast():
            logits = network(there[0], *there[3:])[0]
        loss = bce(logits, there[1], there[2])
        device.descend(loss, network, optimiser)
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_learns_as_float32_does(half: torch.dtype) -> None:
    whole = learnt(Device(CPU, None))
    assert whole[-1] < 0.9 * whole[0]
    assert learnt(Device(CPU, half)) == pytest.approx(whole, rel=0.03)


@gpu
@pytest.mark.parametrize("half", [None, torch.bfloat16, torch.float16])
def test_a_gpu_learns_as_the_cpu_does(half: torch.dtype | None) -> None:
    assert learnt(Device(torch.device("cuda"), half)) == pytest.approx(learnt(Device(CPU, None)), rel=0.05)


def test_nothing_is_left_behind_when_a_network_moves() -> None:
    """On the meta device, tensors have a place but no values: a tensor left on the CPU is an error."""
    device = Device(torch.device("meta"), None)
    network = learner()[0].to("meta")
    target = torch.ones(2, 20, 2)
    frames, target, weight, *state = device.take((torch.zeros(2, 80, 64), target, target, *network.initial(2)))
    logits, *after = network(frames, *state)
    loss = bce(logits, target, weight)
    loss.backward()  # type: ignore[no-untyped-call]
    slopes = [part.grad for part in network.parameters() if part.grad is not None]
    assert len(slopes) == len(list(network.parameters()))
    assert {part.device.type for part in (loss, *after, *slopes)} == {"meta"}


@pytest.mark.parametrize("half", [None, torch.float16])
def test_a_slope_is_cut_at_its_true_length(half: torch.dtype | None) -> None:
    """Scaled gradients are 65,536 times as long: they must be scaled back first."""
    device, layer = Device(CPU, half), nn.Linear(3, 1, bias=False)
    for factor, length in ((100.0, STEEPEST), (0.1, 0.1)):
        nn.init.zeros_(layer.weight)
        device.descend(factor * layer.weight[0, 0], layer, torch.optim.SGD(layer.parameters(), 1.0))
        assert layer.weight[0].tolist() == pytest.approx([-length, 0.0, 0.0], rel=1e-4)


def test_a_step_that_overflows_is_left_out_and_the_scale_halved() -> None:
    device, layer = Device(CPU, torch.float16), nn.Linear(1, 1, bias=False)
    optimiser, before = torch.optim.SGD(layer.parameters(), 1.0), layer.weight.item()
    device.descend(torch.inf * layer.weight.sum(), layer, optimiser)
    assert layer.weight.item() == before
    assert device.scaler.get_scale() == 2.0**15
    again = Device(CPU, torch.float16)
    again.load(device.scaler.state_dict())
    assert again.scaler.get_scale() == 2.0**15
    again.load(Device(CPU, None).scaler.state_dict())  # a run that went on in another precision
    assert again.scaler.get_scale() == 2.0**15
