"""Returns as distributions over fixed values, as in C51 (Bellemare, Dabney and Munos 2017)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def project(reward: Tensor, discount: Tensor, probabilities: Tensor, support: Tensor) -> Tensor:
    """Return the distribution of `reward + discount * Z` on the values of Z (algorithm 1).

    Args:
        reward: `(B,)`.
        discount: `(B,)`; 0 where the episode ended.
        probabilities: `(B, atoms)` of Z.
        support: `(atoms,)`, evenly spaced, rising: the values of Z.

    Returns:
        `(B, atoms)`: what falls between two values is shared by them in proportion, what falls
        outside goes to the outermost; NaN where the reward or the discount is.
    """
    last = support.numel() - 1
    values = reward[:, None] + discount[:, None] * support
    position = (values.clamp(support[0], support[-1]) - support[0]) / (support[1] - support[0])
    below = position.nan_to_num(0.0).floor().long().clamp(0, last)
    share = position - below
    found = torch.zeros_like(probabilities)
    found.scatter_add_(1, below, probabilities * (1.0 - share))
    found.scatter_add_(1, (below + 1).clamp(max=last), probabilities * share)
    return found


def cross_entropy(wanted: Tensor, logits: Tensor) -> Tensor:
    """Return for each row how far `softmax(logits)` is from `wanted`, both `(B, atoms)`."""
    return -(wanted * functional.log_softmax(logits, dim=1)).sum(dim=1)
