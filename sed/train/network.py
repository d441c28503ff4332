"""What a network is, the four causal convolutions that all begin with, their memory passed in and out, and the GRU."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

SPREAD_DB = 6.0
"""The least standard deviation a mel band is divided by."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution over (time, mels)."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]

    @property
    def memory(self) -> int:
        """Input frames that the next call still needs: the kernel's reach into the past."""
        return self.kernel[0] - self.stride[0]


LAYERS = (
    Layer(16, (4, 5), (2, 2)),
    Layer(32, (4, 3), (2, 2)),
    Layer(48, (3, 3), (1, 2)),
    Layer(64, (3, 3), (1, 2)),
)


def layers(channels: Sequence[int]) -> tuple[Layer, ...]:
    """LAYERS with other numbers of channels, one a layer."""
    return tuple(replace(layer, channels=count) for layer, count in zip(LAYERS, channels, strict=True))


class Network(nn.Module, ABC):
    """Scores from log-mel frames; causal, so that any chunking of the frames gives the same scores.

    `forward(frames, *state)` takes frames (streams, n, mels) in dB, n a multiple of `stride`, and returns the logits
    (streams, n / stride, labels) followed by the next state. The state is one tensor a convolution, the last frames it
    was given, and what the network recalls besides; all have streams as their first axis and begin as zeros. The frames
    are normalised before they are remembered, so zeros in the first state stand for the average sound, not for 0 dB.
    """

    kind: ClassVar[str]
    forget: nn.Dropout
    """What is dropped before memory."""
    dropout: nn.Dropout
    """What is dropped after it."""
    scores: nn.Linear
    """The last layer, one row a label."""

    def __init__(self, mels: int, units: int, layers: Sequence[Layer]) -> None:
        """`units` is the width of the rows that the convolutions make; a subclass adds the shapes of its state."""
        super().__init__()
        self.mels, self.units, self.layers = mels, units, tuple(layers)
        self.stride = math.prod(layer.stride[0] for layer in layers)
        self._shapes: list[tuple[int, ...]] = []

    def initial(self, streams: int) -> list[Tensor]:
        """The state before any frame: zeros."""
        return [torch.zeros(streams, *shape) for shape in self._shapes]

    def keep(self, labels: int) -> None:
        """Score the first `labels` classes only."""
        if labels < self.scores.out_features:
            kept = nn.Linear(self.scores.in_features, labels)
            kept.load_state_dict({name: part[:labels] for name, part in self.scores.state_dict().items()})
            self.scores = kept

    @abstractmethod
    def normal(self) -> tuple[Tensor, Tensor]:
        """What every mel band is centred on and divided by, both (mels,) in dB."""

    @abstractmethod
    def normalise(self, mean: Tensor, spread: Tensor) -> None:
        """Fix what every mel band is centred on and divided by, both (mels,) in dB."""

    @abstractmethod
    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Logits and the next state, as the class says."""


class Convolutional(Network):
    """A batch norm after each convolution, and rows made of them; a subclass says how the rows are recalled."""

    mean: Tensor
    spread: Tensor

    def __init__(self, mels: int, units: int, layers: Sequence[Layer]) -> None:
        """As Network; a subclass adds the shapes of what it recalls."""
        super().__init__(mels, units, layers)
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        channels, bins = 1, mels
        for layer in layers:
            padding = (0, layer.kernel[1] // 2)
            self.convolutions.append(
                nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, padding, bias=False)
            )
            self.norms.append(nn.BatchNorm2d(layer.channels))
            self._shapes.append((channels, layer.memory, bins))
            channels, bins = layer.channels, -(-bins // layer.stride[1])
        self.narrow = nn.Linear(channels * bins, units)
        self.register_buffer("mean", torch.zeros(mels))
        self.register_buffer("spread", torch.ones(mels))

    def normal(self) -> tuple[Tensor, Tensor]:
        """As it was fixed."""
        return self.mean, self.spread

    def normalise(self, mean: Tensor, spread: Tensor) -> None:
        """Fix it; a band that hardly changes is divided by SPREAD_DB."""
        self.mean.copy_(mean)
        self.spread.copy_(spread.clamp(min=SPREAD_DB))

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Logits and the next state, as the class says."""
        kept: list[Tensor] = []
        x = ((frames - self.mean) / self.spread).unsqueeze(1)
        for layer, convolution, norm, memory in zip(self.layers, self.convolutions, self.norms, state, strict=False):
            x = torch.cat((memory.to(x.dtype), x), dim=2)
            kept.append(x[:, :, -layer.memory :])
            x = torch.relu(norm(convolution(x)))
        rows = torch.relu(self.narrow(x.permute(0, 2, 1, 3).flatten(2)))
        logits, *recalled = self.recall(rows, *state[len(self.layers) :])
        return logits, *kept, *recalled

    @abstractmethod
    def recall(self, rows: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Logits (streams, n, labels) from rows (streams, n, units) and what came before them; then the next state."""


class Crnn(Convolutional):
    """One GRU, `units` wide, and one linear layer; `dropout` is what is dropped before and after it while learning."""

    kind = "crnn"

    def __init__(
        self,
        mels: int,
        labels: int,
        units: int = 128,
        layers: Sequence[Layer] = LAYERS,
        dropout: tuple[float, float] = (0.0, 0.1),
    ) -> None:
        super().__init__(mels, units, layers)
        self.forget = nn.Dropout(dropout[0])
        self.recurrent = nn.GRU(units, units, batch_first=True)
        self.dropout = nn.Dropout(dropout[1])
        self.scores = nn.Linear(units, labels)
        self._shapes.append((units,))

    def recall(self, rows: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """The GRU's memory is its last row."""
        x, last = self.recurrent(self.forget(rows), state[0].unsqueeze(0).to(rows.dtype))
        return self.scores(self.dropout(x)), last.squeeze(0)
