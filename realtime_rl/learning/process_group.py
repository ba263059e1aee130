"""Learners that stay in step over several processes or machines, as `torchrun` starts them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from realtime_rl.core.errors import ConfigError
from realtime_rl.learning.errors import LearningError


class ProcessGroup:
    """The processes that learn the same weights, each from what it experiences itself.

    Everything here is collective: every process calls it as often as the others, and waits for
    them. `LearningError` when one of them is gone.
    """

    def __init__(self) -> None:
        """Join those that the environment names (`RANK`, `WORLD_SIZE`, `MASTER_ADDR`, …)."""
        try:
            distributed.init_process_group("gloo")
        except (RuntimeError, ValueError) as error:
            raise ConfigError(f"cannot join the others (RANK={os.environ.get('RANK')}): "
                              f"{_first_line(error)}; start all with torchrun") from error
        self.rank: int = distributed.get_rank()
        """0 for the one that reports."""
        self.size: int = distributed.get_world_size()

    def all(self, flag: bool) -> bool:
        """Whether it is so for every process."""
        return self._reduced(int(flag), distributed.ReduceOp.MIN) == 1

    def any(self, flag: bool) -> bool:
        """Whether it is so for any process."""
        return self._reduced(int(flag), distributed.ReduceOp.MAX) == 1

    def same(self, value: int) -> bool:
        """Whether every process says the same."""
        return (self._reduced(value, distributed.ReduceOp.MIN)
                == self._reduced(value, distributed.ReduceOp.MAX))

    def close(self) -> None:
        """Leave. Not collective."""
        distributed.destroy_process_group()

    def _reduced(self, value: int, operation: distributed.ReduceOp.RedOpType) -> int:
        shared = torch.tensor([value])
        with _in_step():
            distributed.all_reduce(shared, operation)
        return int(shared)


def averaged(network: nn.Module, compute: Callable[..., tuple[Tensor, ...]]
             ) -> Callable[..., tuple[Tensor, ...]]:
    """Return `compute` with the gradients of what it does with `network` averaged over the group.

    `DistributedDataParallel` hooks into one call of one module; `compute`, which may use the
    network as often as it likes, is made that call. All processes get the first one's weights.
    Collective.
    """
    with _in_step(), warnings.catch_warnings():
        # newer versions have another name for it, which older ones do not know
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(_Call(network, compute), broadcast_buffers=False)


def backward(loss: Tensor) -> None:
    """Compute the gradients of a loss that came from what `averaged` returned. Collective."""
    with _in_step():
        loss.backward()  # type: ignore[no-untyped-call]


class _Call(nn.Module):
    def __init__(self, network: nn.Module, compute: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network = network
        self._compute = compute

    def forward(self, *arguments: object) -> tuple[Tensor, ...]:
        return self._compute(*arguments)


@contextmanager
def _in_step() -> Iterator[None]:
    """Say that a collective call failed, from which the others are not to be had back."""
    try:
        yield
    except RuntimeError as error:
        raise LearningError(
            f"the processes are out of step, one may be gone: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
