"""A bag of a robot's run, made without ROS: an arm that is moved as its node would move it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml
from contracts import arm, changed
from handmade import START_NS
from synthetic import cdr_of

from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.enumerations import StopCause
from realtime_rl.core.messages.records import Command, RobotRecord, Timestep
from realtime_rl.core.robot.guards import Stops
from realtime_rl.core.robot.motion import Motion
from realtime_rl.core.types import Cause

PERIOD_NS = 20_000_000
CHANGES: dict[str, Any] = {
    "limits__j1__max_acceleration": 6.0, "limits__j2__max_acceleration": 6.0,
    "observations": ["state", "front"], "observation__front": {"sources": ["cam"]},
    "source__cam": {"topic": "/image", "type": "sensor_msgs/msg/Image", "max_age": 0.1,
                    "on_stale": "default", "image": {"width": 8, "height": 4}}}
TICKS = 1000


def _cause(tick: int) -> tuple[Cause, Stops]:
    if 400 <= tick < 450:
        return Cause.POLICY, Stops(StopCause.ESTOP, ("estop: pressed",))
    if 600 <= tick < 640:
        return Cause.STOP, Stops()
    if tick < 40 or 800 <= tick < 803:
        return Cause.DEFAULT, Stops()
    return Cause.POLICY, Stops()


def run(ticks: int = TICKS) -> list[Timestep | RobotRecord]:
    """What its node would say, tick by tick."""
    contract = arm(**CHANGES)
    motion = Motion(contract)
    positions = {"j1": 0.1, "j2": -0.2}
    found: list[Timestep | RobotRecord] = []
    for tick in range(ticks):
        stamp_ns = START_NS + tick * PERIOD_NS
        cause, stops = _cause(tick)
        seconds = tick * 0.02
        asked = (math.sin(0.8 * seconds), 1.2 if tick % 300 > 200 else -0.2)
        sent = motion.tick(Command(cause, asked), positions, stamp_ns, stops=stops,
                           waiting=("source.cam: nothing came",) if tick < 10 else ())
        for name, value in zip(contract.elements, sent.elements, strict=True):
            if math.isfinite(value):
                positions[name] += 0.3 * (value - positions[name])
        camera_s = 0.15 if 700 <= tick < 715 else (tick % 3) * 0.01
        found += [
            Timestep.latching(
                Command(sent.cause, sent.acted, *((0, 1, tick - 1) if sent.cause is Cause.POLICY
                                                  else ())),
                stamp_ns=stamp_ns, tick=tick, period_ns=PERIOD_NS, plant="robot", first=tick == 0),
            RobotRecord(stamp_ns, tick, sent.phase, int(sent.stopped_by), sent.elements,
                        tuple(positions.values()), tuple(map(int, sent.limited)),
                        (0.004 + tick % 2 * 0.004, math.nan if tick < 10 else camera_s),
                        (0, 3 if 700 <= tick < 715 else 0))]
    return found


def write(folder: Path, records: list[Timestep | RobotRecord], contract: str | None = None
          ) -> Path:
    """Record a run and its contract; return the bag's folder."""
    kinds = {"timestep": "sensor_msgs/msg/JointState", "robot": "sensor_msgs/msg/JointState",
             "contract": "std_msgs/msg/String"}
    text = yaml.safe_dump({"robot": {"ros__parameters": changed(**CHANGES)}}
                          ) if contract is None else contract
    with BagWriter(folder, [TopicInfo(f"/{name}", kind, OfferedQos(1000))
                            for name, kind in kinds.items()]) as bag:
        if text:
            bag.write("/contract", cdr_of(text), START_NS)
        for record in records:
            name = "robot" if isinstance(record, RobotRecord) else "timestep"
            bag.write(f"/{name}", cdr_of(record), record.stamp_ns + 1000)
    return folder
