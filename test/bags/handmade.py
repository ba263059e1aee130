"""Records written by hand: only what a test is about, the rest filled in."""

from __future__ import annotations

import math
from typing import Any

from realtime_rl.core.messages import records as r
from realtime_rl.core.types import Cause

PERIOD_NS = 10_000_000
START_NS = 1_000_000_000_000


def stamp(tick: int) -> int:
    """The stamp of a tick that starts on its grid."""
    return START_NS + tick * PERIOD_NS


def step(tick: int, cause: Cause = Cause.POLICY, **changes: Any) -> r.Timestep:
    """A tick; a policy's action answers the observation two ticks before, by worker 0."""
    acted = cause is Cause.POLICY
    values: dict[str, Any] = {
        "stamp_ns": stamp(tick), "tick": tick, "period_ns": PERIOD_NS, "lateness_s": 0.0,
        "missed": False, "episode": 0, "reward": 0.0, "discount": 1.0, "first": False,
        "last": False, "cause": cause, "worker": 0 if acted else -1,
        "version": 1 if acted else -1, "observation_tick": max(-1, tick - 2) if acted else -1,
        "action": (0.0,), "plant": "counter"}
    return r.Timestep(**{**values, **changes})


def verdict(tick: int, fate: r.Fate = r.Fate.APPLIED, **changes: Any) -> r.Verdict:
    """The verdict on the action that answers observation `tick - 2`, which arrived just before."""
    applied = fate is r.Fate.APPLIED
    values: dict[str, Any] = {
        "stamp_ns": stamp(tick - 2), "fate": fate, "reason": r.Reason.NONE,
        "tick": tick if applied else -1, "observation_tick": max(-1, tick - 2),
        "delay_ticks": 2 if applied else -1, "worker": 0, "version": 1, "generation": 0,
        "arrival_s": tick * PERIOD_NS / 1e9 - 0.002}
    return r.Verdict(**{**values, **changes})


def defaulted(tick: int) -> r.Verdict:
    """The verdict on a tick that the default policy had to fill."""
    return r.Verdict.defaulted(tick)


def inference(tick: int, **changes: Any) -> r.Inference:
    """An inference on observation `tick` by worker 0 that takes 12 ms."""
    values: dict[str, Any] = {
        "stamp_ns": stamp(tick), "tick": tick, "due_tick": -1, "worker": 0, "generation": 0,
        "version": 1, "age_s": 0.001, "duration_s": 0.012, "compute_s": 0.012,
        "miss": r.Miss.NONE, "swapping": False, "swap_s": math.nan, "node": "inference_0",
        "provider": "cpu", "emulated": ""}
    return r.Inference(**{**values, **changes})


def schedule(generation: int = 1, delay: int = 2, **changes: Any) -> r.ScheduleRecord:
    """A schedule of two pooled workers."""
    values: dict[str, Any] = {
        "stamp_ns": START_NS, "generation": generation, "effective_tick": 0,
        "promised_delay_ticks": delay, "required_workers": delay, "duration_ns": 12_000_000,
        "handover_ns": 2_000_000, "period_ns": PERIOD_NS, "algorithm": r.Algorithm.MAX_TIME,
        "dealing": r.Dealing.POOLED, "slot_source": r.SlotSource.TICK, "processes": 1,
        "active": (0, 1)}
    return r.ScheduleRecord(**{**values, **changes})


def learning(updates: int, **changes: Any) -> r.Learning:
    """The learner's figures."""
    values: dict[str, Any] = {
        "stamp_ns": START_NS, "updates": updates, "transitions": 2 * updates, "loss": 0.5,
        "epsilon": 0.1, "version": 1, "lag_s": 0.25}
    return r.Learning(**{**values, **changes})
