"""Listens to the plant's observations, whose parts come on topics of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.qos import QoSProfile

from realtime_rl.core.experience.gathering import Gathering, Lost, Whole
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.observation_cdr import Part, PartCodec
from realtime_rl.core.observations import Observations
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.ros import messages
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.throttled import Throttled


class Observing:
    """Takes the parts of observations, each of the plant's own grid, and hands on whole ones."""

    def __init__(self, node: Node, spec: Observations, on_whole: Callable[[Whole], None],
                 on_lost: Callable[[Lost], None], profile: QoSProfile, *, period_ns: int) -> None:
        """Subscribe to each part.

        Args:
            node: that listens.
            spec: of the plant's observations.
            on_whole: called with each observation whose parts are all there.
            on_lost: called, before a later one is handed on, for one that lacks a part.
            profile: QoS.
            period_ns: the plant's period.
        """
        self._gathering = Gathering(spec)
        self._on_whole = on_whole
        self._on_lost = on_lost
        self._incomplete = Throttled(node, "{count} observation(s) incomplete and passed over; the "
                                  "newest: {last}")
        topics = observation_wire.topics(spec)
        self.topics = tuple(topics.values())
        """Those of the parts."""
        for part in spec.parts:
            listen(node, messages.observation_type(part), topics[part.name],
                   partial(self._on_part, part.name, PlantView(period_ns)), profile,
                   rate_hz=per_tick_hz(period_ns), most_bytes=observation_wire.most_bytes(part),
                   decode=partial(messages.to_part, PartCodec(part)))

    def _on_part(self, name: str, view: PlantView, part: Part) -> None:
        tick, first = wire.observation_words(part.frame_id)
        view.take(tick, part.stamp_ns, time.monotonic_ns())
        whole, given_up = self._gathering.take(name, tick, part.stamp_ns, first, part.value)
        for lost in given_up:
            self._incomplete.note(f"tick {lost.tick} lacks {', '.join(map(repr, lost.parts))}")
            self._on_lost(lost)
        if whole is not None:
            self._on_whole(whole)
