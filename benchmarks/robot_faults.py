"""What a simulated arm is commanded while the faults that a robot meets happen, one at a time.

Each run is `realtime-rl run` of `robot_faults.yaml` with an emulated 120 ms model, beside
`examples/robot_sim` in a process of its own. What the arm was commanded comes from the arm's own
log; who acted, and what became of every action, from the bag.

    python -m benchmarks.robot_faults
    python -m benchmarks.robot_faults --only kill-robot estop --runs 1 --json -
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx

from benchmarks.robot_outcomes import Fault, Outcome, judge, row
from benchmarks.robot_scene import Scene, policy
from benchmarks.running import Running, build_clock_shim, run_each, set_clock
from benchmarks.simulated import simulated
from examples.robot_sim import check_log
from realtime_rl.bags.reader import read_run
from realtime_rl.core.enumerations import StopCause
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.accounting import RunRecords

CONFIG = Path(__file__).with_name("robot_faults.yaml")
PERIOD_S = 0.02
TOPIC = "forward_position_controller/commands"
_SETTLE_S = 9.0
"""From the start of the nodes to the fault."""
_LASTS_S = 2.0
_AFTER_S = 7.0
_LONGEST_S = 120.0


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
        log = check_log.check(folder / "arm.jsonl", PERIOD_S, limits, 1e-6)["topics"][TOPIC]
        if verbose:
            print("\n".join(line for _, line in running.lines), file=sys.stderr)
        return judge(name, fault, records, log, scene, status=status)


if __name__ == "__main__":
    sys.exit(main())
