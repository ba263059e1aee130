"""Whether a policy's graph fits a plant, and how it is fed and read: nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.observations import ONLY, Observations
from realtime_rl.core.policy import batching, chunk_period, goals, inputs, outputs, prefix, states
from realtime_rl.core.policy.batching import Batchable
from realtime_rl.core.policy.constants import fed_with
from realtime_rl.core.policy.goals import Goal
from realtime_rl.core.policy.inputs import Input
from realtime_rl.core.policy.normalizing import ACTION
from realtime_rl.core.policy.outputs import Reading
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.states import State
from realtime_rl.core.policy.tensors import Graph, Tensor, by_name, listed
from realtime_rl.core.types import ActionSpace

Plant = tuple[Observations, ActionSpace]
"""What a plant gives and takes."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """How to feed and read a policy that fits."""

    inputs: tuple[Input, ...]
    stack: int
    metadata: PolicyMetadata | None
    warnings: tuple[str, ...]
    reading: Reading
    history: int = 0
    """Applied actions that the input `action_history` takes; 0: there is none."""
    states: tuple[State, ...] = ()
    constants: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    prefix: tuple[Tensor, ...] = ()
    """Inputs that take what is promised: see `prefix`."""
    first_tick: int = 1
    """The tick after its observation's that the first row of a chunk is meant for."""
    chunk_period_ns: int = 0
    """Between the rows [ns]; 0: the plant's period."""
    goal: Goal | None = None
    batchable: Batchable = field(default_factory=Batchable)
    """Whether one run can answer several observations."""
    max_prefix: int = 0
    """Rows of a prefix that it was trained for, at most; 0: it does not say."""

    def difference(self, other: Fitted) -> str:
        """Say in what `other` takes or gives something else; empty: in nothing."""
        for what, mine, its in (
                ("rows of a chunk (H)", self.reading.horizon, other.reading.horizon),
                ("first tick of a chunk", self.first_tick, other.first_tick),
                ("period of a chunk", self.chunk_period_ns, other.chunk_period_ns),
                ("inputs", _taken(self), _taken(other)),
                ("states", _listed(self.states), _listed(other.states)),
                ("prefix", sorted(each.name for each in self.prefix),
                 sorted(each.name for each in other.prefix)),
                ("goal", _aim(self.goal), _aim(other.goal)),
                ("longest prefix (max_prefix)", self.max_prefix, other.max_prefix),
                ("outputs", self.reading.kind, other.reading.kind)):
            if mine != its:
                return f"its {what}: {its}, not {mine}"
        return ""


def _taken(fitted: Fitted) -> list[str]:
    return sorted(f"part {each.place} as {list(each.shape)}" for each in fitted.inputs)


def _aim(goal: Goal | None) -> str:
    return "none" if goal is None else str(goal.input)


def _listed(found: tuple[State, ...]) -> list[str]:
    return sorted(f"{each.input} {list(each.shape)}" for each in found)


def fit(graph: Graph, plant: Plant, said: Said, stack: int = 0, period_ns: int = 0) -> Fitted:
    """Check a graph against a plant; `PolicyError` says what does not fit.

    A file without metadata fits when its shapes do, with a warning. Sizes that the file leaves
    open are not known before it is run.

    Args:
        graph: what the file declares.
        plant: what the plant gives and takes.
        said: beside the graph, by whomever.
        stack: observations joined, for a file without metadata; 0: it takes one.
        period_ns: the plant's; 0: not known.
    """
    observation, actions = plant
    metadata = PolicyMetadata.from_props(graph.props)
    given, gives = by_name(graph.inputs), by_name(graph.outputs)
    _check_names(said, given)
    kept = states.paired(given, gives, said.inputs)
    constants, goal = fed_with(given, said), goals.taken(given, said)
    aside = {*constants, *(each.input for each in kept),
             *(() if goal is None else (goal.input.name,))}
    history = _history({name: each for name, each in given.items() if name not in aside},
                       metadata, observation, actions, said)
    aside |= {HISTORY_INPUT} if history else set()
    if metadata is not None:
        _check_metadata(metadata, actions, stack)
    reading = outputs.choose({name: each for name, each in gives.items()
                              if name not in {state.output for state in kept}},
                             actions, said, metadata)
    promised = _prefix(given, aside, reading, actions)
    _check_prefix(promised, said, period_ns)
    seen = {name: each for name, each in given.items()
            if name not in aside and each not in promised}
    if not seen:
        raise PolicyError(f"none of its inputs, {listed(given)}, takes an observation")
    fed, joined, odd = _inputs(seen, observation, said, metadata, stack)
    _check_joints(said, actions)
    warnings = [*_about_metadata(metadata, said, joined, actions), *odd,
                *_about(reading, said, actions, period_ns), *_about_prefix(promised)]
    return _with_period(Fitted(
        fed, joined, metadata, tuple(warnings), reading, history, kept, constants, promised,
        1 if said.chunk_first_tick is None else said.chunk_first_tick, said.chunk_period_ns, goal,
        batching.of(graph.inputs, gives[reading.output], constants, kept), said.max_prefix))


def _check_names(said: Said, given: Mapping[str, Tensor]) -> None:
    for what, names in (("inputs", said.inputs), ("constants", said.constants),
                        ("goal", said.goals)):
        for name in names:
            if name not in given:
                raise PolicyError(f"{said.source}: {what} name {name!r}, but its inputs are "
                                  f"{listed(given)}")


def _check_metadata(metadata: PolicyMetadata, actions: ActionSpace, stack: int) -> None:
    if metadata.actions != actions:
        raise PolicyError(f"it gives actions '{metadata.actions}', the plant takes '{actions}'")
    if stack not in (0, metadata.stack):
        raise PolicyError(f"it takes a stack of {metadata.stack} observations, its metadata say; "
                          f"stack is set to {stack}: leave that out")


def _history(given: Mapping[str, Tensor], metadata: PolicyMetadata | None,
             observation: Observations, actions: ActionSpace, said: Said) -> int:
    """Return how many applied actions an input takes; 0: no input does."""
    found = given.get(HISTORY_INPUT)
    if metadata is None:
        named = HISTORY_INPUT in [part.name for part in observation.parts]
        alone = len(given) == 1
        if found is None or named or alone or HISTORY_INPUT in said.inputs \
                or len(found.shape) != 3 or not isinstance(found.shape[1], int):
            return 0
        history = found.shape[1]
    else:
        history = metadata.action_history
    needed = [1, history, actions.size]
    if history and found is None:
        raise PolicyError(f"it has no input {HISTORY_INPUT!r} {needed}, but {choices(given)}")
    if history and found is not None and not (found.type == "tensor(float)"
                                              and found.fits(needed)):
        raise PolicyError(f"its input {HISTORY_INPUT!r} is {found.type!r} {list(found.shape)}, not "
                          f"'tensor(float)' {needed}")
    return int(history)


def _prefix(given: Mapping[str, Tensor], aside: set[str], reading: Reading, actions: ActionSpace
            ) -> tuple[Tensor, ...]:
    """Return the inputs that take what is promised; `PolicyError` where they are not whole."""
    found = tuple(given[name] for name in prefix.NAMES if name in given and name not in aside)
    if not reading.horizon or not found:
        return ()
    chunk = given.get(prefix.CHUNK)
    if chunk is None:
        raise PolicyError(f"it takes {listed(each.name for each in found)} without "
                          f"{prefix.CHUNK!r}, the rows that are promised")
    rows = reading.horizon if reading.horizon > 0 else _rows(chunk)
    if not chunk.fits([1, rows, actions.size]) or chunk.dtype.kind != "f":
        raise PolicyError(f"its input {chunk} does not take [1, {rows}, {actions.size}], the rows "
                          "of a chunk of its own")
    for each in found[1:]:
        if not (len(each.shape) < 2 or each.fits([1, 1])):
            raise PolicyError(f"its input {each} does not take a number of rows")
    return found


def _check_prefix(found: tuple[Tensor, ...], said: Said, period_ns: int) -> None:
    """Refuse what was trained for a prefix without the inputs, and rows that are none of ticks."""
    if said.max_prefix and not found:
        raise PolicyError(f"{said.source} say max_prefix {said.max_prefix}, but it has no input "
                          f"{prefix.CHUNK!r} for the rows that act meanwhile: export it with that, "
                          "or leave max_prefix out")
    if found and said.chunk_period_ns and not chunk_period.alike(said.chunk_period_ns, period_ns):
        raise PolicyError(f"its input {prefix.CHUNK!r} takes rows every "
                          f"{said.chunk_period_ns / 1e6:g} ms, and what acts meanwhile is known "
                          f"every {period_ns / 1e6:g} ms, the plant's period: train it for that")


def _rows(chunk: Tensor) -> int:
    rows = chunk.shape[1] if len(chunk.shape) == 3 else None
    return rows if isinstance(rows, int) else 1


def _inputs(seen: Mapping[str, Tensor], observation: Observations, said: Said,
            metadata: PolicyMetadata | None, stack: int
            ) -> tuple[tuple[Input, ...], int, list[str]]:
    joined = metadata.stack if metadata else stack or 1
    places = (inputs.matched(seen, observation, joined, said) if metadata is None
              else _as_said(seen, observation, metadata))
    known = {ACTION, *seen, *(observation.parts[place].name for place in places.values()),
             *([ONLY] if len(seen) == 1 else [])}
    stranger = next((name for name in said.normalize if name not in known), None)
    if stranger is not None:
        raise PolicyError(f"normalisation of {stranger!r}: neither an input nor the part that one "
                          f"takes; known are {choices(known)}")
    found: list[Input] = []
    odd: list[str] = []
    for name, place in places.items():
        one, of_one = inputs.fed(
            seen[name], place, observation.parts[place], joined, said,
            settled=metadata is not None or stack > 0, alone=len(seen) == 1)
        found.append(one)
        odd += of_one
    if said.terms and len(found) == 1:
        _check_terms(said, found[0])
    return tuple(found), joined, odd


def _check_terms(said: Said, found: Input) -> None:
    told, has = sum(size for _, size in said.terms), int(np.prod(found.shape))
    if told != has:
        terms = ", ".join(f"{name} {size}" for name, size in said.terms)
        raise PolicyError(f"{said.source} say that it takes {told} values ({terms}), its input "
                          f"{found.name!r} takes {has}")


def _as_said(seen: Mapping[str, Tensor], observation: Observations, metadata: PolicyMetadata
             ) -> dict[str, int]:
    """Return the place of the part for each input, as the metadata say."""
    if set(seen) != set(metadata.inputs):
        raise PolicyError(f"its input is {listed(seen)}, its metadata say "
                          f"{listed(metadata.inputs)}")
    places = {}
    alone = len(observation.parts) == len(metadata.inputs) == 1
    for name, taken in metadata.inputs.items():
        place = next((place for place, part in enumerate(observation.parts)
                      if alone or part.name == taken.name), None)
        if place is None or not observation.parts[place].fits(taken):
            raise PolicyError(f"it takes observations '{taken}', the plant gives '{observation}'")
        places[name] = place
    return places


def _check_joints(said: Said, actions: ActionSpace) -> None:
    """Refuse other names, or another order of them; names of another vocabulary say nothing."""
    if said.joints and set(said.joints) & set(actions.labels) and said.joints != actions.labels:
        raise PolicyError(f"{said.source} say its actions are {listed(said.joints)}, the plant "
                          f"takes {listed(actions.labels)}")


def _about_metadata(metadata: PolicyMetadata | None, said: Said, joined: int,
                    actions: ActionSpace) -> list[str]:
    if metadata is not None:
        return []
    normalised = f"; normalised are {listed(said.normalize)}" if said.normalize else ""
    return [f"no metadata: taken as a stack of {joined} observations, with actions '{actions}'"
            f"{normalised}"]


def _about(reading: Reading, said: Said, actions: ActionSpace, period_ns: int) -> list[str]:
    found = []
    if reading.unused:
        found.append(f"its output {reading.output!r} acts; {listed(reading.unused)} are not used")
    if said.joints and not set(said.joints) & set(actions.labels):
        found.append(f"{said.source} say its actions are {listed(said.joints)}; they are taken, in "
                     f"that order, as {listed(actions.labels)}")
    if not chunk_period.alike(said.period_ns, period_ns):
        found.append(f"{said.source} say it was made for a tick every {said.period_ns / 1e6:g} ms, "
                     f"the plant's come every {period_ns / 1e6:g} ms")
    return found


def _about_prefix(promised: tuple[Tensor, ...]) -> list[str]:
    if not promised:
        return []
    return [f"it takes what is promised to act meanwhile ({listed(each.name for each in promised)}"
            "): chunk_merge 'prefix' tells it; where nobody tells it, it is fed as if nothing were"]


def _with_period(fitted: Fitted) -> Fitted:
    if fitted.chunk_period_ns and not fitted.reading.horizon:
        raise PolicyError("chunk_period: it gives single actions, no chunk")
    if fitted.chunk_period_ns and fitted.reading.actions.discrete:
        raise PolicyError("chunk_period: between two choices there is nothing; leave it out, or "
                          "take a plant of that period")
    return fitted
