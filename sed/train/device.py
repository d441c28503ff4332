"""Where a network learns, the CPU or a CUDA GPU, and in which precision."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sed.errors import UsageError

Choice = Literal["auto", "cpu", "cuda"]
STEEPEST = 1.0
"""The norm to which longer gradients are cut."""


class Device:
    """A place to compute and the half precision used there, if any; see torch.amp.

    bfloat16 has the range of float32. float16 has not: its loss is scaled up before the gradients are computed, and a
    step whose gradients overflow is left out; Micikevicius et al. 2018.
    """

    def __init__(self, place: torch.device, half: torch.dtype | None) -> None:
        """`half` is the precision of convolutions, matrix products and the GRU; None is float32 throughout."""
        self.place, self.half = place, half
        self.scaler = torch.amp.GradScaler(place.type, enabled=half == torch.float16)

    def autocast(self) -> torch.autocast:
        """The context in which to run a network."""
        return torch.autocast(self.place.type, self.half or torch.bfloat16, enabled=self.half is not None)

    def take(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """The tensors, here."""
        return [tensor.to(self.place, non_blocking=True) for tensor in tensors]

    def descend(self, loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """One step of `network` down the slope of `loss`, a slope steeper than STEEPEST cut to it."""
        optimiser.zero_grad()
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
        self.scaler.step(optimiser)
        self.scaler.update()

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with the scale that `scaler.state_dict()` gave; in float32 and bfloat16 there is none."""
        if state:
            self.scaler.load_state_dict(dict(state))

    def __str__(self) -> str:
        """As people call it."""
        if self.place.type == "cuda":
            return torch.cuda.get_device_name(self.place)
        return self.place.type


def device_of(choice: Choice, mixed: bool) -> Device:
    """The device asked for, `auto` being a GPU where there is one; raises UsageError for a GPU that is not there.

    `mixed` asks for bfloat16, or float16 on a GPU that has no bfloat16 (before Ampere). A CPU without it learns in
    float32: with AVX2 alone a step in bfloat16 takes five times as long.
    """
    there = torch.cuda.is_available()
    if choice == "cuda" and not there:
        raise UsageError(f"device cuda: {_why_not()}; choose cpu or auto")
    if choice == "cpu" or not there:
        return Device(torch.device("cpu"), torch.bfloat16 if mixed and _cpu_has_bfloat16() else None)
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return Device(torch.device("cuda"), (torch.bfloat16 if native else torch.float16) if mixed else None)


def _cpu_has_bfloat16() -> bool:
    """Whether oneDNN computes in it here: AVX-512 on x86, the bf16 extension on Arm."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _why_not() -> str:
    if torch.version.cuda is None:
        return f"this torch ({torch.__version__}) is built without CUDA"
    return "torch finds no GPU here that it can use"
