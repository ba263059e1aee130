"""Bags of runs in virtual time, as the plant node would have recorded them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_rl.bags import messages
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Action, Cause, Observation, ObservationSpec
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay, simulate

START_NS = 1_760_000_000_000_000_000


def play(plant: Plant, ticks: int, cause: Cause = Cause.OPERATOR
         ) -> list[tuple[Timestep, Observation]]:
    """Press another button at every tick."""
    def press(tick: int, observation: Observation) -> Action:
        return (float((tick * tick // 3) % plant.spec.actions.size),)

    return [(replace(step, stamp_ns=START_NS + step.stamp_ns, cause=cause, observation_tick=-1),
             observation) for step, observation in simulate(plant, press, Delay(1), ticks)]


def record(folder: Path, played: Iterable[tuple[Timestep, Observation]], spec: ObservationSpec,
           *, lost: Container[int] = (), unseen: Container[int] = ()) -> Path:
    """Write a bag without the ticks that are `lost` and the observations that are `unseen`."""
    kind = messages.IMAGE if spec.is_image else messages.SCALARS
    with BagWriter(folder, [TopicInfo("/timestep", messages.SCALARS),
                            TopicInfo("/observation", kind)]) as bag:
        for step, observation in played:
            if step.tick in lost:
                continue
            if step.tick not in unseen:
                bag.write("/observation", _observation(step, observation, spec), step.stamp_ns)
            bag.write("/timestep", messages.scalars_to_cdr(wire.encode(step)), step.stamp_ns + 1)
    return folder


def _observation(step: Timestep, observation: Observation, spec: ObservationSpec) -> bytes:
    words = wire.encode_words({"plant": step.plant, "tick": step.tick, "first": int(step.first)})
    if spec.is_image:
        return messages.image_to_cdr(step.stamp_ns, words, observation.astype(np.uint8))
    values = tuple(observation.astype(np.float64).ravel())
    return messages.scalars_to_cdr(wire.NamedScalars(
        step.stamp_ns, words, tuple(f"observation.{i}" for i in range(len(values))), values))
