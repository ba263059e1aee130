"""Bags of runs in virtual time, as the plant node would have recorded them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_rl.bags import messages
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, Observations, ObservationSpec, split
from realtime_rl.core.types import Action, Cause
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


def record(folder: Path, played: Iterable[tuple[Timestep, Observation]], spec: Observations,
           *, lost: Container[int] = (), unseen: Container[int] = (),
           unseen_parts: Container[tuple[str, int]] = ()) -> Path:
    """Write a bag without the ticks that are `lost` and the observations that are `unseen`."""
    topics = [f"/{topic}" for topic in observation_wire.topics(spec).values()]
    kinds = [messages.IMAGE if part.is_image else messages.SCALARS for part in spec.parts]
    with BagWriter(folder, [TopicInfo("/timestep", messages.SCALARS),
                            *map(TopicInfo, topics, kinds)]) as bag:
        for step, observation in played:
            if step.tick in lost:
                continue
            for topic, part, value in zip(topics, spec.parts, split(observation), strict=True):
                if step.tick not in unseen and (part.name, step.tick) not in unseen_parts:
                    bag.write(topic, _observation(step, value, part), step.stamp_ns)
            bag.write("/timestep", messages.scalars_to_cdr(wire.encode(step)), step.stamp_ns + 1)
    return folder


def _observation(step: Timestep, value: Observation, part: ObservationSpec) -> bytes:
    words = wire.encode_words({"plant": step.plant, "tick": step.tick, "first": int(step.first)})
    if part.is_image:
        return messages.image_to_cdr(step.stamp_ns, words, value.astype(np.uint8))
    values = tuple(value.astype(np.float64).ravel())
    return messages.scalars_to_cdr(wire.NamedScalars(
        step.stamp_ns, words, observation_wire.value_names(part), values))
