"""One network of several that went on from the same weights to learn different things: the mean of their weights."""

from collections.abc import Sequence

from torch.optim.swa_utils import AveragedModel

from sed.train.network import Network


def soup(networks: Sequence[Network]) -> Network:
    """The mean of weights and of batch norms' statistics, ready to score; Wortsman et al. 2022, "Model soups".

    It scores about as their ensemble does and costs what one of them does, as long as they began alike.
    """
    mean = AveragedModel(networks[0], use_buffers=True)
    for network in networks:
        mean.update_parameters(network)
    whole = mean.module
    assert isinstance(whole, Network)  # noqa: S101 - AveragedModel copies what it is given
    return whole.eval()
