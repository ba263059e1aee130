"""What a simulated arm is commanded while the faults that a robot meets happen, one at a time.

Each run is `realtime-rl run` of `robot_faults.yaml` with an emulated 120 ms model, beside
`examples/robot_sim` in a process of its own. What the arm was commanded comes from the arm's own
log; who acted, and what became of every action, from the bag.

    python -m benchmarks.robot_faults
    python -m benchmarks.robot_faults --only kill-robot estop --runs 1 --json -
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.running import (
    ROOT,
    Running,
    build_clock_shim,
    run_each,
    set_clock,
    telling,
)
from benchmarks.simulated import simulated
from examples.robot_sim import check_log
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.reader import read_run
from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import RobotRecord

CONFIG = Path(__file__).with_name("robot_faults.yaml")
PERIOD_S = 0.02
_TOPIC = "forward_position_controller/commands"
_SETTLE_S = 9.0
"""From the start of the nodes to the fault."""
_LASTS_S = 2.0
_AFTER_S = 7.0
_LONGEST_S = 120.0
_RELEASED_WITHIN_S = 5.0
_NOTABLE = r"\[WARN|\[ERROR|error:|died|nothing is sent"
_RESTART = "the plant was started again"


@dataclass(frozen=True)
class Outcome:
    """One run with one fault."""

    fault: str
    step: float
    """The largest between two commands, in the whole run [rad]."""
    velocity: float
    acceleration: float
    beyond: list[str]
    """Limits that a command was beyond."""
    held: float
    """How far the first command was from what was measured [rad]."""
    still_after_s: float | None
    """From the fault on, until the commands stood still or stopped coming; `None`: they did not."""
    phases: list[str]
    """Of the robot's node, from the fault on, in their order; of a stop with its causes."""
    acts_again_s: float | None
    """From the end of the fault, or its release, until the policy drives again."""
    missed: int
    unattributed: int
    status: int | None
    said: str
    wrong: str


@dataclass(frozen=True)
class Fault:
    """What is done to a run."""

    do: Callable[[Scene], None]
    stops: int = 0
    """What is to be among the causes of a stop."""
    statuses: tuple[int, ...] = (0,)
    words: tuple[str, ...] = ()
    policy: str = ""
    acts: bool = True
    """The policy is to drive in the end."""
    shim: bool = False
    still: bool = True
    """The arm is to come to rest meanwhile."""


class Scene:
    """A run, its arm, and a hand for both."""

    def __init__(self, running: Running, environment: Mapping[str, str]) -> None:
        self.running = running
        self.environment = environment
        self._hand = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.strangers", "hand"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.begin_ns = self.end_ns = 0
        """Of the fault [ns since the epoch]."""
        self.refusals: list[str] = []

    def ask(self, line: str) -> str:
        """Have the hand do something; return its answer."""
        assert self._hand.stdin is not None and self._hand.stdout is not None
        self._hand.stdin.write(f"{line}\n")
        self._hand.stdin.flush()
        return self._hand.stdout.readline().strip()

    def robot(self, fault: str) -> None:
        """Have the simulated robot do a fault, or note a mark."""
        self.ask(f"say robot_sim/fault {fault}")

    def send(self, node: str, number: signal.Signals) -> None:
        os.kill(self.running.pids()[node], number)

    def release(self) -> None:
        """Release the robot's own stop, as soon as that is granted."""
        until_s = time.monotonic() + _RELEASED_WITHIN_S
        while (answer := self.ask("call release")) and time.monotonic() < until_s:
            self.refusals.append(answer)
            time.sleep(0.2)
        if answer:
            self.refusals.append("never released")

    def close(self) -> None:
        assert self._hand.stdin is not None
        self._hand.stdin.close()
        self._hand.wait(10.0)


def kill(node: str) -> Callable[[Scene], None]:
    return lambda scene: scene.send(node, signal.SIGKILL)


def pause(node: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        scene.send(node, signal.SIGSTOP)
        time.sleep(1.0)
        scene.send(node, signal.SIGCONT)
    return do


def pause_robot(scene: Scene) -> None:
    """Whoever did not hear the emergency stop for a second stops, until that is released."""
    pause("robot")(scene)
    time.sleep(0.5)
    scene.release()


def of_robot(fault: str, *, release: bool) -> Callable[[Scene], None]:
    """A fault of the robot's own, and the release of the stop that it causes."""
    def do(scene: Scene) -> None:
        scene.robot(fault)
        time.sleep(_LASTS_S)
        scene.robot("clear")
        if release:
            scene.release()
    return do


def stop_and_kill(scene: Scene) -> None:
    """Stop; then its enforcer dies, and is started again."""
    scene.ask("call stop true")
    scene.send("actuator", signal.SIGKILL)
    time.sleep(4.0)
    scene.ask("call stop false")


def estop_and_kill(scene: Scene) -> None:
    scene.robot("estop")
    time.sleep(0.5)
    scene.send("robot", signal.SIGKILL)
    time.sleep(4.0)
    scene.robot("clear")
    scene.release()


def clock_back(scene: Scene) -> None:
    set_clock(dict(scene.environment), -3.0)
    time.sleep(_LASTS_S)
    scene.release()


def nothing(scene: Scene) -> None:
    time.sleep(_LASTS_S)


_FAULTS = {
    "none": Fault(nothing, still=False),
    "kill-actuator": Fault(kill("actuator"), StopCause.SILENCE, (1,)),
    "kill-robot": Fault(kill("robot"), statuses=(1,)),
    "kill-inference": Fault(kill("inference_0"), statuses=(1,)),
    "kill-coordinator": Fault(kill("coordinator"), statuses=(1,), still=False),
    "pause-actuator": Fault(pause("actuator"), StopCause.SILENCE),
    "pause-robot": Fault(pause_robot, StopCause.ESTOP),
    "pause-inference": Fault(pause("inference_0")),
    "pause-coordinator": Fault(pause("coordinator"), still=False),
    **{f"joints-{kind}": Fault(of_robot(f"{kind}=joints", release=True), StopCause.STALE)
       for kind in ("silent", "old", "nan")},
    "joints-slow": Fault(of_robot("slow=joints", release=False), still=False),
    "joints-frozen": Fault(of_robot("frozen=joints", release=False), still=False),
    "camera-gone": Fault(of_robot("gone=camera", release=False)),
    "camera-size": Fault(of_robot("size=camera", release=False)),
    "estop": Fault(of_robot("estop", release=True), StopCause.ESTOP),
    "estop-silent": Fault(of_robot("silent=estop", release=True), StopCause.ESTOP),
    "deadman-released": Fault(of_robot("released", release=False), StopCause.DEADMAN),
    "stop-then-kill-actuator": Fault(stop_and_kill, StopCause.SERVICE, (1,)),
    "estop-then-kill-robot": Fault(estop_and_kill, StopCause.ESTOP, (1,)),
    "nan-actions": Fault(nothing, policy="nan", still=False),
    "out-of-range-actions": Fault(nothing, policy="beyond", still=False),
    "first-target-far": Fault(nothing, policy="far", words=("robot.start.max_first_step=0.1",),
                              acts=False),
    "clock-back": Fault(clock_back, shim=True, still=False),
}


def main() -> int:
    """Run the faults that are asked for."""
    return run_each(__doc__, _FAULTS, run, row)


def run(name: str, verbose: bool) -> Outcome:
    """Make one run with one fault."""
    fault = _FAULTS[name]
    with tempfile.TemporaryDirectory(prefix="realtime_rl-robot-") as text:
        folder = Path(text)
        environment = build_clock_shim(folder) if fault.shim else {}
        onnx.save(policy(fault.policy), folder / "policy.onnx")
        with simulated(["arm"], folder / "arm.jsonl", environment), Running(
                folder, [f"scenario.policy={folder / 'policy.onnx'}", *fault.words],
                duration_s=_LONGEST_S, environment=environment, config=CONFIG) as running:
            running.wait_for("robot", "actuator", "inference_0", timeout_s=30.0)
            scene = Scene(running, environment)
            scene.robot("mark=begun")
            time.sleep(_SETTLE_S)
            scene.robot(f"mark={name}")
            scene.begin_ns = time.time_ns()
            fault.do(scene)
            scene.end_ns = time.time_ns()
            time.sleep(_AFTER_S)
            running.process.send_signal(signal.SIGINT)
            status = running.wait()
            scene.close()
        try:
            records = read_run(running.bag).records
        except RealtimeRlError as error:
            records = RunRecords()
            scene.refusals.append(str(error))
        limits = check_log.read_limits(CONFIG, ())
        log = check_log.check(folder / "arm.jsonl", PERIOD_S, limits, 1e-6)["topics"][_TOPIC]
        if verbose:
            print("\n".join(line for _, line in running.lines), file=sys.stderr)
        return judge(name, records, log, scene, status)


def policy(kind: str) -> onnx.ModelProto:
    """One that swings the arm from side to side; of the kinds that fail, at some angles."""
    weights = np.zeros((6, 5), np.float32)
    weights[:3, :] = -20.0 * np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 1]])
    bad = {"nan": np.nan, "beyond": 9.0}.get(kind, 0.0)
    offset = 1.2 if kind == "far" else 0.0
    constants = {"w": weights, "share": np.float32([0.5]), "zero": np.float32([0.0]),
                 "bad": np.full((1, 5), bad, np.float32), "offset": np.float32([offset]),
                 "begin": np.int64([0]), "end": np.int64([1]), "axis": np.int64([1]),
                 "from": np.float32([0.02]), "to": np.float32([0.1])}
    nodes = [
        helper.make_node("MatMul", ["state", "w"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["turned"]),
        helper.make_node("Mul", ["turned", "share"], ["small"]),
        helper.make_node("Add", ["small", "offset"], ["placed"]),
        helper.make_node("Cast", ["front"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["unseen"]),
        helper.make_node("Add", ["placed", "unseen"], ["good"]),
        helper.make_node("Slice", ["state", "begin", "end", "axis"], ["pan"]),
        helper.make_node("Greater", ["pan", "from"], ["beyond"]),
        helper.make_node("Less", ["pan", "to"], ["before"]),
        helper.make_node("And", ["beyond", "before"], ["there"]),
        helper.make_node("Where", ["there", "bad" if bad else "good", "good"], ["action"])]
    graph = helper.make_graph(
        nodes, "reach", [helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 6]),
                         helper.make_tensor_value_info("front", TensorProto.UINT8, [1, 3, 24, 32])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def judge(name: str, records: RunRecords, log: Mapping[str, Any], scene: Scene,
          status: int | None) -> Outcome:
    """Say what became of a run."""
    fault = _FAULTS[name]
    after = [record for record in records.robots if record.stamp_ns >= scene.begin_ns]
    problems = [line for line in disagreements(records) if not line.startswith(_RESTART)]
    joints = log["joints"].values()
    still_after_s = still_after(name, log["events"])
    causes = StopCause(0)
    for record in after:
        causes |= StopCause(record.stopped_by)
    again_s = acts_again_s(after, scene.end_ns)
    wrong = [*(text for text, is_so in (
        (f"status {status}", status not in fault.statuses),
        (problems[0] if problems else "", bool(problems)),
        (log["beyond"][0] if log["beyond"] else "", bool(log["beyond"])),
        ("no record of the robot", not after),
        ("not stopped by it", fault.stops and not causes & fault.stops),
        ("it never stood still", fault.still and still_after_s is None),
        ("the policy does not act again", fault.acts and again_s is None),
        ("it acts", not fault.acts and any(r.phase is Phase.ACTING for r in after)),
        ("never released", "never released" in scene.refusals)) if is_so)]
    return Outcome(
        name, *(max(joint[key] for joint in joints) for key in ("step", "velocity",
                                                                "acceleration")),
        log["beyond"], (log["hold"] or {}).get("from_measured", float("nan")), still_after_s,
        phases(after), again_s,
        sum(step.missed for step in records.timesteps if step.stamp_ns >= scene.begin_ns),
        sum(int(match[0]) for line in problems if (match := re.match(r"\d+", line))), status,
        telling([line for _, line in scene.running.lines
                 if "EMULATED" not in line and "no metadata" not in line], _NOTABLE),
        "; ".join(wrong))


def still_after(name: str, events: Sequence[Mapping[str, Any]]) -> float | None:
    """From the mark of a fault until the commands stood still, while it lasted."""
    begin = next(index for index, each in enumerate(events)
                 if each["what"].startswith(f"mark={name}"))
    found = [each["t"] + each["settled_s"] for each in events[begin:begin + 2]
             if each["settled_s"] is not None and not each["what"].endswith("ends")]
    return min(found) - events[begin]["t"] if found else None


def phases(records: Sequence[RobotRecord]) -> list[str]:
    """Return the phases in their order, each once in a row."""
    found: list[str] = []
    for record in records:
        causes = [str(each.name).lower() for each in StopCause if record.stopped_by & each]
        word = record.phase.word + (f" ({', '.join(causes)})" if causes else "")
        if not found or found[-1] != word:
            found.append(word)
    return found


def acts_again_s(records: Sequence[RobotRecord], end_ns: int) -> float | None:
    """From `end_ns` until the policy drives, blended or not; `None`: it does not in the end."""
    drives = (Phase.ACTING, Phase.BLENDING)
    late = [record for record in records if record.stamp_ns >= end_ns]
    if not late or late[-1].phase not in drives:
        return None
    rest = [record for record in late if record.phase not in drives]
    begin_ns = rest[-1].stamp_ns if rest else end_ns
    return (begin_ns - end_ns) / 1e9


def row(outcome: Outcome) -> str:
    still = "moves on" if outcome.still_after_s is None else f"{outcome.still_after_s:.2f} s"
    again = "never" if outcome.acts_again_s is None else f"{outcome.acts_again_s:.2f} s"
    return (f"{outcome.fault:24} step {outcome.step:.4f} velocity {outcome.velocity:.3f} "
            f"acceleration {outcome.acceleration:.2f} beyond {len(outcome.beyond)} held "
            f"{outcome.held:.5f} still {still:>8} again {again:>7} missed {outcome.missed} "
            f"unattributed {outcome.unattributed} status {outcome.status}  "
            f"{' > '.join(outcome.phases)}  {outcome.said or '–'}"
            f"{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")


if __name__ == "__main__":
    sys.exit(main())
