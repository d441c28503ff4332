"""Batch norm over the shares of all processes, as if one device had the whole batch: torch's own needs a GPU for it."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm2d whose means and variances are those of the whole batch, each process having a share as large."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch calls it so
        """(scenes, channels, n, bins) to the same; as BatchNorm2d does once learning is over."""
        if not self.training:
            return super().forward(input)
        assert self.num_batches_tracked is not None  # noqa: S101 - it is tracked, as in all of BatchNorm2d's own
        self.num_batches_tracked.add_(1)
        normed: Tensor = _Shared.apply(input, self.weight, self.bias, self)  # type: ignore[no-untyped-call]
        return normed


def synchronised(network: nn.Module) -> None:
    """Make every batch norm of `network` one of the whole batch; parameters and buffers stay the same tensors."""
    if next(network.parameters()).is_cuda:
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm


class _Shared(torch.autograd.Function):
    """Ioffe & Szegedy 2015, the sums of algorithm 1 and of its derivative taken over all processes.

    Written out because autograd through the sums takes 2.5 times as long as batch norm does, this as long as it does.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm: SharedBatchNorm) -> Tensor:
        mean, variance, count = _moments(x)
        if norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None:
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
        ctx.count = count
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + norm.eps))
        return torch.batch_norm(x, weight, bias, mean, variance, False, 0.0, norm.eps, False)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, inverse = ctx.saved_tensors
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            slope, x, weight, None, None, mean, inverse, True, 0.0, [False, True, True]
        )
        sums = torch.stack((of_weight, of_bias))
        dist.all_reduce(sums)
        gain = weight * inverse
        by_x = -gain * inverse * sums[0] / ctx.count
        level = -gain * sums[1] / ctx.count - by_x * mean
        of_x = torch.addcmul(_wide(level), slope.to(mean.dtype), _wide(gain)).addcmul_(x, _wide(by_x))
        return of_x.to(x.dtype), of_weight, of_bias, None


def _moments(x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of each channel over all processes, float32, and of how many values."""
    own, channels = x.numel() // x.shape[1], x.shape[1]
    mean, variance = (torch.zeros(channels) for _ in range(2))
    torch.batch_norm_update_stats(x, mean, variance, 1.0)  # torch's own sums; its variance is the unbiased one
    moments = torch.stack((mean, variance * ((own - 1) / own)))
    shares = [torch.empty_like(moments) for _ in range(dist.get_world_size())]
    dist.all_gather(shares, moments)
    means, variances = torch.stack(shares, 1)
    return means.mean(0), variances.mean(0) + means.var(0, correction=0), own * len(shares)


def _wide(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1)
