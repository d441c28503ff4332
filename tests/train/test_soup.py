"""The mean of networks that began alike: what it is, bounded by a slow mean, and that it scores as they do together."""

from copy import deepcopy

import torch

from sed.train.network import Crnn
from sed.train.soup import soup


def went_on(network: Crnn, seed: int, by: float) -> Crnn:
    """The network after a little more learning: all weights moved, batch norms' statistics too."""
    moved = deepcopy(network)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, part in moved.state_dict().items():
            if part.is_floating_point() and name not in ("mean", "spread"):
                step = by * torch.randn(part.shape, generator=chance)
                part.mul_(step.exp()) if name.endswith("running_var") else part.add_(step)
    return moved.eval()


def begun() -> Crnn:
    torch.manual_seed(5)
    network = Crnn(64, 3, 8)
    network.normalise(torch.full((64,), -40.0), torch.full((64,), 10.0))
    return network.eval()


def test_every_weight_and_statistic_is_the_mean() -> None:
    networks = [went_on(begun(), seed, 0.1) for seed in range(3)]
    states = [network.state_dict() for network in networks]
    for name, part in soup(networks).state_dict().items():
        if part.is_floating_point():
            torch.testing.assert_close(part, torch.stack([state[name] for state in states]).mean(0))


def test_the_networks_stay_what_they_were_and_one_alone_is_itself() -> None:
    network = went_on(begun(), 1, 0.1)
    before = deepcopy(network.state_dict())
    alone = soup([network])
    assert alone is not network
    assert all(torch.equal(part, before[name]) for name, part in network.state_dict().items())
    assert all(torch.equal(part, before[name]) for name, part in alone.state_dict().items())
    assert not alone.training


def test_it_scores_as_its_networks_do_together() -> None:
    """To first order: the mean's logits are nearer to the mean of the logits than any network's are."""
    networks = [went_on(begun(), seed, 0.02) for seed in range(4)]
    frames = 10.0 * torch.randn(2, 80, 64, generator=torch.Generator().manual_seed(0)) - 40.0
    with torch.no_grad():
        each = [network(frames, *network.initial(2))[0] for network in networks]
        mean = soup(networks)
        told = mean(frames, *mean.initial(2))[0]
    together = torch.stack(each).mean(0)
    nearest = min(float((one - together).abs().mean()) for one in each)
    assert float((told - together).abs().mean()) < 0.2 * nearest
