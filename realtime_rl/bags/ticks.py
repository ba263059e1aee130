"""A recorded run tick by tick, checked against the plant that it is to be used with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from realtime_rl.bags.messages import Observed
from realtime_rl.bags.reader import Run, observations_of
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.wire import was_written
from realtime_rl.core.types import Observation, ObservationSpec, PlantSpec


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
    observed = observations_of(run)
    newest = next(observed, None)
    for step in plant_sessions(run.records.timesteps).ticks:
        _check(run, step, spec)
        while newest is not None and newest.stamp_ns < step.stamp_ns:
            newest = next(observed, None)
        found = newest is not None and newest.stamp_ns == step.stamp_ns
        yield Tick(step, _fit(run, newest, spec.observation) if found and newest else None)


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
    """Give a recorded observation the plant's shape and dtype: vectors travel as float64."""
    value = observed.value
    fits = (value.shape == spec.shape if spec.is_image
            else value.ndim == 1 and value.size == int(np.prod(spec.shape)))
    if not fits:
        kind = "image" if value.ndim == 3 else "vector"
        raise BagError(f"bag {str(run.path)!r}: its observations are {kind}s of shape "
                       f"{value.shape}, the plant's are '{spec}'; give the options that were "
                       "recorded")
    if spec.is_image:
        return value
    fitted = value.astype(spec.dtype).reshape(spec.shape)
    fitted.flags.writeable = False
    return fitted
