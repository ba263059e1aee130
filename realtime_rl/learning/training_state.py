"""Transitions, networks, optimizers and random states in a snapshot; nothing is pickled."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import nn

from realtime_rl.core.experience.action_history import History
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.snapshot import Array, Snapshot
from realtime_rl.core.types import Action


def save_transitions(
    snapshot: Snapshot, name: str, transitions: Collection[SemiMdpTransition]
) -> None:
    """Write transitions under `name`, in their order; their observations are kept once each."""
    columns = {
        "observation": ([list(map(snapshot.place, each.observation)) for each in transitions],
                        np.int64),
        "next_observation": ([list(map(snapshot.place, each.next_observation))
                              for each in transitions], np.int64),
        "action": ([each.action for each in transitions], np.float64),
        "reward": ([each.reward for each in transitions], np.float64),
        "discount": ([each.discount for each in transitions], np.float64),
        "steps": ([each.steps for each in transitions], np.int64),
        "terminal": ([each.terminal for each in transitions], np.uint8),
        "history": ([_numbers(each.history, each.action) for each in transitions], np.float64),
        "next_history": ([_numbers(each.next_history, each.action) for each in transitions],
                         np.float64)}
    for column, (values, dtype) in columns.items():
        snapshot.arrays[f"{name}.{column}"] = np.array(values, dtype)


def load_transitions(snapshot: Snapshot, name: str) -> list[SemiMdpTransition]:
    """Return the transitions that were written under `name`."""
    def column(which: str) -> list[Any]:
        values: list[Any] = snapshot.arrays[f"{name}.{which}"].tolist()
        return values

    names = ("observation", "action", "reward", "discount", "next_observation", "steps",
             "terminal", "history", "next_history")
    rows = zip(*map(column, names), strict=True)
    return [SemiMdpTransition(
                tuple(map(snapshot.frame, frames)), tuple(action), reward, discount,
                tuple(map(snapshot.frame, following)), steps, bool(terminal),
                _history(before), _history(after))
            for frames, action, reward, discount, following, steps, terminal, before, after
            in rows]


def _numbers(history: History, like: Action) -> list[list[float]]:
    """Write a history as rows of numbers, NaN for what is not known."""
    return [[math.nan] * len(like) if action is None else list(action) for action in history]


def _history(rows: list[list[float]]) -> History:
    return tuple(None if math.isnan(row[0]) else tuple(row) for row in rows)


def save_module(snapshot: Snapshot, name: str, module: nn.Module) -> None:
    """Write a network's weights and buffers under `name`."""
    for key, tensor in module.state_dict().items():
        snapshot.arrays[f"{name}.{key}"] = _array(tensor)


def load_module(snapshot: Snapshot, name: str, module: nn.Module) -> None:
    """Take a network's weights over; `ValueError` when they are another network's."""
    wanted: dict[str, torch.Tensor] = module.state_dict()
    given = {key: snapshot.arrays.get(f"{name}.{key}") for key in wanted}
    for key, tensor in wanted.items():
        found = given[key]
        if found is None or found.shape != tuple(tensor.shape):
            raise ValueError(f"weights {name}.{key} do not fit")
    module.load_state_dict({key: torch.from_numpy(np.array(found))
                            for key, found in given.items()})


def save_optimizer(snapshot: Snapshot, optimizer: torch.optim.Optimizer) -> None:
    """Write an optimizer's state: its settings, and what it remembers of each weight."""
    state = optimizer.state_dict()
    for index, remembered in state["state"].items():
        for key, value in remembered.items():
            snapshot.arrays[f"optimizer.{index}.{key}"] = _array(torch.as_tensor(value))
    snapshot.values["optimizer"] = {
        "groups": state["param_groups"],
        "state": {str(index): list(remembered) for index, remembered in state["state"].items()}}


def load_optimizer(snapshot: Snapshot, optimizer: torch.optim.Optimizer) -> None:
    """Take an optimizer's state over; `ValueError` when it is another network's."""
    values = snapshot.values["optimizer"]
    optimizer.load_state_dict({
        "param_groups": values["groups"],
        "state": {int(index): {key: torch.from_numpy(
                                   np.array(snapshot.arrays[f"optimizer.{index}.{key}"]))
                               for key in keys}
                  for index, keys in values["state"].items()}})


def save_random(snapshot: Snapshot, own: torch.Generator) -> None:
    """Write the states of torch's and numpy's global generators, and of one of our own."""
    snapshot.arrays["random.own"] = _array(own.get_state())
    snapshot.arrays["random.torch"] = _array(torch.get_rng_state())
    _, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    snapshot.arrays["random.numpy"] = np.asarray(keys, np.uint32)
    snapshot.values["random.numpy"] = [int(place), int(has_gauss), float(gauss)]


def load_random(snapshot: Snapshot, own: torch.Generator) -> None:
    """Take over what `save_random` wrote."""
    own.set_state(torch.from_numpy(np.array(snapshot.arrays["random.own"])))
    torch.set_rng_state(torch.from_numpy(np.array(snapshot.arrays["random.torch"])))
    np.random.set_state(
        ("MT19937", snapshot.arrays["random.numpy"], *snapshot.values["random.numpy"]))


def _array(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().cpu().contiguous().numpy()
    return array.copy()


def weights_sha256(module: nn.Module) -> str:
    """Return one SHA-256 of all weights and buffers: equal for networks equal bit for bit."""
    digest = hashlib.sha256()
    for key, tensor in sorted(module.state_dict().items()):
        array = _array(tensor)
        digest.update(f"{key} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
