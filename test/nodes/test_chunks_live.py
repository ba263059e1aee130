"""Chunks of actions in a whole graph of real processes; the plant counts, and rows are exact."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("onnx", reason="the policy is made with onnx")

from live_graph import LiveGraph
from sensor_msgs.msg import Joy

from benchmarks import chunk_policy
from realtime_rl.core.enumerations import Fate
from realtime_rl.core.messages.plan import decode_plan
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos

CONFIG = """
scenario: {ros__parameters: {workers: %d, processes: %d, learner: false}}
plant: {ros__parameters: {name: counter, options: ["observation=vector", "period_ms=20",
                                                   "episode_ticks=0"]}}
inference: {ros__parameters: {latency: "constant:90ms"}}
"""


def graph(folder: Path, workers: int, processes: int, rows: int, *words: str,
          make: Callable[[Path, int], Path] = chunk_policy.count) -> LiveGraph:
    config = folder / "counter.yaml"
    config.write_text(CONFIG % (workers, processes))
    policy = make(folder / "policy.onnx", rows)
    return LiveGraph(folder, str(config), f"scenario.policy={policy}", *words)


def of_chunk(step: Timestep) -> bool:
    return step.cause is Cause.POLICY and step.row >= 0


def test_one_worker_with_a_long_chunk_leaves_no_tick_without_an_action(tmp_path: Path) -> None:
    with graph(tmp_path, 1, 1, 50) as live:
        watcher = live.watcher
        watcher.wait(lambda: any(each.generation for each in watcher.inferences),
                     "the coordinator schedules")
        steps = watcher.wait_for_steps(of_chunk, 150, "rows act")
        first = steps[40].tick
        watcher.wait(lambda: sum(v.rows for v in watcher.verdicts if v.tick >= first) > 80,
                     "chunks have their fates")
        seen = [step for step in watcher.steps if step.tick >= first]
    lacking = [step.tick for step in seen if step.missing]
    assert len(lacking) <= 0.02 * len(seen), lacking
    rows = [step for step in seen if of_chunk(step)]
    ages = {step.tick - step.observation_tick for step in rows}
    assert max(ages) - min(ages) >= 3  # one chunk for several ticks
    exact = sum(step.row == step.tick - step.observation_tick - 1 for step in rows)
    assert exact >= 0.95 * len(rows)
    rewarded = sum(step.reward for step in rows)
    assert rewarded >= 0.95 * len(rows)
    applied = {v.observation_tick: v for v in watcher.verdicts if v.fate is Fate.APPLIED}
    for seen_tick, verdict in applied.items():
        ticks = [s.tick for s in watcher.steps if of_chunk(s) and s.observation_tick == seen_tick]
        if ticks and min(s.tick for s in watcher.steps) < min(ticks):
            assert (verdict.tick, verdict.rows) == (ticks[0], len(ticks))


def test_further_workers_give_fresher_feedback_and_one_may_die(tmp_path: Path) -> None:
    with graph(tmp_path, 6, 2, 50) as live:
        watcher = live.watcher
        watcher.wait(lambda: any(each.generation for each in watcher.inferences),
                     "the coordinator schedules")
        watcher.wait_for_steps(of_chunk, 100, "rows act")
        for process in (0, 1):  # they come up one after the other
            watcher.wait_for_steps(lambda step, who=process: of_chunk(step)
                                   and step.worker % 2 == who, 10, f"rows of process {process}")
        begun = watcher.steps[-1].tick
        os.kill(live.pid_of("inference_1"), signal.SIGKILL)
        steps = watcher.wait_for_steps(of_chunk, 100, "the others go on")
        last = steps[-1].tick
        watcher.wait(lambda: any(v.tick > last for v in watcher.verdicts), "verdicts follow")
        after = [step for step in watcher.steps if begun <= step.tick <= last]
    assert sum(step.missing for step in after) <= 0.02 * len(after)  # others' rows bridge it
    told = {v.observation_tick for v in watcher.verdicts if v.fate is Fate.APPLIED}
    newest = max(step.observation_tick for step in after if of_chunk(step))
    assert {s.observation_tick for s in after
            if of_chunk(s) and s.observation_tick < newest - 10} <= told


def test_a_policy_that_is_told_what_acts_meanwhile_goes_on_from_it(tmp_path: Path) -> None:
    with graph(tmp_path, 2, 1, 50, "actuator.chunk_merge=prefix",
               make=chunk_policy.carry_on) as live:
        watcher, plans = live.watcher, []
        watcher.create_subscription(
            Joy, "plan", lambda joy: plans.append(decode_plan(
                messages.from_joy(joy), live.prepared.plant.actions)), qos.PAIRED)
        watcher.wait(lambda: any(each.settled > 0 for each in watcher.inferences),
                     "a worker is told what acts meanwhile")
        begun = len(watcher.inferences)
        watcher.wait(lambda: len(watcher.inferences) > begun + 12, "chunks follow each other")
        watcher.wait_for_steps(of_chunk, 10, "their rows act")
        told, steps = watcher.inferences[begun:], {step.tick: step for step in watcher.steps}
    slots = sorted(each.tick for each in told)
    delay = min(each.due_tick - each.tick for each in told)
    assert delay >= 5  # 90 ms and the hand-over, at 20 ms a tick
    assert min(b - a for a, b in itertools.pairwise(slots)) >= delay
    whole = [each for each in told if each.settled == each.due_tick - each.tick - 1]
    assert len(whole) >= len(told) / 2
    promised = [(tick, plan) for plan in plans
                for tick in range(plan.first_tick, plan.final_until + 1) if tick in steps]
    kept = sum(steps[tick].observation_tick == plan.tick for tick, plan in promised)
    assert kept >= 0.95 * len(promised) > 30
    rows = [steps[tick] for tick, _ in promised if of_chunk(steps[tick])]
    assert sum(step.reward for step in rows) >= 0.9 * len(rows)  # rows are of their own ticks


def test_a_chunk_that_is_too_short_is_told_in_one_line(tmp_path: Path) -> None:
    with graph(tmp_path, 1, 1, 7) as live:
        live.watcher.wait(lambda: live.said("which is too short"), "the coordinator says it")
        line = next(each for each in live.output if "too short" in each)
    assert "a chunk reaches 7 ticks" in line
    assert "would do, or" in line
