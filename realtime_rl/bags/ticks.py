"""A recorded run tick by tick, checked against the plant that it is to be used with."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from realtime_rl.bags.messages import Observed
from realtime_rl.bags.reader import Run, observations_of
from realtime_rl.core.errors import BagError, choices
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages.observation_wire import check_names
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.wire import WireError, was_written
from realtime_rl.core.observations import Observation, ObservationSpec, join, names_of
from realtime_rl.core.types import PlantSpec


class Tick(NamedTuple):
    """What a tick latched, and what was seen after it."""

    step: Timestep
    observation: Observation | None
    """Of the plant's shape and dtype, read-only; `None` where it was not recorded."""


def ticks_of(run: Run, spec: PlantSpec) -> Iterator[Tick]:
    """Read a run's ticks in the order of their recording, each once.

    Tick numbers start anew where the plant was started again; those that are absent in between
    were not recorded.

    Raises:
        BagError: the run is of another plant, period, action space or kind of observation, or
            has no observations.
    """
    if not run.observations:
        raise BagError(f"bag {str(run.path)!r} holds no observations; record them, with "
                       "recorder.observations=true")
    parts, names = spec.observation.parts, names_of(spec.observation)
    wanted = names or ("",)
    if not set(wanted) <= set(run.parts):
        raise BagError(f"bag {str(run.path)!r}: its observations have {_listed(run.parts)}, those "
                       f"of {spec.name!r} {_listed(wanted)}; give the options that were recorded")
    series = [_Series(observations_of(run, name)) for name in wanted]
    for step in plant_sessions(run.records.timesteps).ticks:
        _check(run, step, spec)
        found = [_fit(run, observed, part)
                 for part, each in zip(parts, series, strict=True)
                 if (observed := each.at(step.stamp_ns)) is not None]
        whole = join(found, names) if len(found) == len(parts) else None
        if whole is not None:
            whole.flags.writeable = False
        yield Tick(step, whole)


def _listed(parts: Collection[str]) -> str:
    return f"the parts {choices(parts)}" if any(parts) else "one part"


class _Series:
    """The recorded values of one part, asked for in the order of their stamps."""

    def __init__(self, observed: Iterator[Observed]) -> None:
        self._observed = observed
        self._newest = next(observed, None)

    def at(self, stamp_ns: int) -> Observed | None:
        """Return that of a tick; `None` where it was not recorded."""
        while self._newest is not None and self._newest.stamp_ns < stamp_ns:
            self._newest = next(self._observed, None)
        found = self._newest
        return found if found is not None and found.stamp_ns == stamp_ns else None


def _check(run: Run, step: Timestep, spec: PlantSpec) -> None:
    where = f"bag {str(run.path)!r}, tick {step.tick}"
    if step.plant and not was_written(step.plant, spec.name):
        raise BagError(f"{where}: of plant {step.plant!r}, not {spec.name!r}; give the plant and "
                       "the options that were recorded")
    if step.period_ns != spec.period_ns:
        raise BagError(f"{where}: the period is {step.period_ns} ns, that of {spec.name!r} is "
                       f"{spec.period_ns} ns; give the options that were recorded")
    problem = spec.actions.problem(step.action)
    if problem is not None:
        raise BagError(f"{where}: action {step.action!r} is {problem}; the space of "
                       f"{spec.name!r} is '{spec.actions}'")


def _fit(run: Run, observed: Observed, spec: ObservationSpec) -> Observation:
    """Give a recorded part the plant's shape and dtype: vectors travel as float64."""
    value = observed.value
    try:
        check_names(observed.names, spec)
    except WireError as error:
        raise BagError(f"bag {str(run.path)!r}: {error}") from error
    fits = (value.shape == spec.shape if spec.is_image
            else value.ndim == 1 and value.size == int(np.prod(spec.shape)))
    if not fits:
        kind = "image" if value.ndim == 3 else "vector"
        raise BagError(f"bag {str(run.path)!r}: its observations are {kind}s of shape "
                       f"{value.shape}, the plant's are '{spec}'; give the options that were "
                       "recorded")
    if spec.is_image:
        return value
    return value.astype(spec.dtype).reshape(spec.shape)
