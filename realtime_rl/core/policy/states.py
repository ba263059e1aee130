"""Inputs that take what an output gave the inference before: the memory of a recurrent policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.said import OUTPUT
from realtime_rl.core.policy.tensors import Tensor, listed

_ENDS = ((re.compile(r"(.+)_in"), r"\1_out"), (re.compile(r"(.+)\.in"), r"\1.out"),
         (re.compile(r"in_(.+)"), r"out_\1"), (re.compile(r"([hc])0"), r"\1n"))
"""How exporters name an input and the output that it takes: `h_in`, `h_out`; `memory.x.in`,
`memory.x.out`; `h0`, `hn`."""


class State(NamedTuple):
    """One state, carried from an inference to the next."""

    input: str
    output: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Memory:
    """The states of one episode. One inference at a time uses it."""

    def __init__(self, states: Iterable[State]) -> None:
        """Begin with zeros, as at an episode's first observation."""
        self._states = tuple(states)
        self.feed: dict[str, NDArray[Any]] = {
            each.input: np.zeros(each.shape, each.dtype) for each in self._states}
        """By input."""

    def keep(self, outputs: Mapping[str, NDArray[Any]]) -> None:
        """Take over what an inference gave; `PolicyError` where a state changes its shape."""
        for each in self._states:
            found = outputs[each.output]
            if found.shape != each.shape:
                raise PolicyError(f"its output {each.output!r} has shape {list(found.shape)}, the "
                                  f"input {each.input!r} takes {list(each.shape)}")
        self.feed = {each.input: outputs[each.output] for each in self._states}

    def copy(self) -> Memory:
        """Return one that changes by itself."""
        other = Memory(self._states)
        other.feed = dict(self.feed)
        return other


def paired(inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], said: Mapping[str, str]
           ) -> tuple[State, ...]:
    """Find the states: what is said (`hx=output:hy`), and pairs of well-known names.

    Raises:
        PolicyError: an output that is said is not there, or input and output do not fit.
    """
    pairs: dict[str, str] = {}
    for name in inputs:
        told = said.get(name, "")
        if told.startswith(OUTPUT):
            pairs[name] = told.removeprefix(OUTPUT)
            if pairs[name] not in outputs:
                raise PolicyError(f"{name!r} is to take output {pairs[name]!r}, but its outputs "
                                  f"are {listed(outputs)}")
        elif not told:
            known = [pattern.sub(to, name) for pattern, to in _ENDS if pattern.fullmatch(name)]
            pairs.update((name, each) for each in known if each in outputs)
    return tuple(_state(inputs[name], outputs[other]) for name, other in pairs.items())


def _state(given: Tensor, back: Tensor) -> State:
    shape = given.closed()
    if given.type != back.type or not back.fits(shape):
        raise PolicyError(f"its state {given} does not fit the output {back} that it takes")
    return State(given.name, back.name, shape, given.dtype)
