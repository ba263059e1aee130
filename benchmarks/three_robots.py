"""Three robots of three types at once, each in a namespace of its own: whether anything is mixed.

An arm that takes Float64MultiArray, an arm that takes JointTrajectory, and a base that takes
TwistStamped, each `examples/robot_sim` in a process of its own, driven at 20 Hz by a graph of its
own with an emulated 120 ms model. What each robot received, by its own log, is compared with what
its own graph sent it, by that graph's bag: every command must be in both.

    python -m benchmarks.three_robots
    python -m benchmarks.three_robots --seconds 60 --json -
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message

from benchmarks.robot_scene import Scene
from benchmarks.running import ROOT, Running, private_environment
from benchmarks.simulated import simulated
from examples.robot_sim.log import read
from realtime_rl import strict_json
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.storage import open_bag
from realtime_rl.core.figures.accounting import account
from realtime_rl.ros import message_classes

Values = tuple[float, ...]
_ARM = ("arm", "--moving", "shoulder_pan", "shoulder_lift", "elbow_flex", "--tolerance", "0.04",
        "--renew-home")
_LOOP_HZ = "200"
"""Of the robots' own control loops: three of them share a machine with all that drives them."""
_STARTED_WITHIN_S = 60.0
_SETTLES_S = 5.0
_FORWARD = "forward_position_controller/commands"
_TRAJECTORY = "joint_trajectory_controller/joint_trajectory"


@dataclass(frozen=True)
class Robot:
    """One of them."""

    config: str
    policy: str
    topic: str
    """Of its commands."""
    words: tuple[str, ...]
    """Of the simulator's command line."""
    changes: tuple[str, ...] = ()
    """Of the scenario."""


ROBOTS = {
    "left": Robot("so101.yaml", "so101_reach.onnx", _FORWARD, _ARM),
    "right": Robot("so101.yaml", "so101_reach.onnx", _TRAJECTORY,
                   (*_ARM, "--controller", "joint_trajectory"),
                   ("robot.action.arm.type=trajectory_msgs/msg/JointTrajectory",
                    f"robot.action.arm.topic={_TRAJECTORY}")),
    "floor": Robot("base.yaml", "base_goal.onnx", "cmd_vel", ("base", "--renew", "1"))}


@dataclass(frozen=True)
class Outcome:
    """What became of one robot."""

    namespace: str
    type: str
    """Of its commands."""
    status: int | None
    ticks: int
    missed: int
    inaction: float | None
    delay_ticks: float | None
    """The median."""
    promised_ticks: int | None
    received: int
    """Commands, by the robot's own log."""
    recorded: int
    """Commands, in the bag of its graph."""
    unrecorded: int
    """Commands that it received before its graph's recorder was there, or after that ended."""
    strange: int
    """Other commands that it received and that its own graph did not send."""
    lost: int
    """Commands of its graph that it did not receive."""
    ignored: int
    """Commands that it received and would not follow."""
    foreign_topics: list[str]
    """In its bag, of other namespaces."""
    episodes: int
    wrong: str


def main() -> int:
    """Run all three; the status is 1 where something was mixed or went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, metavar="S")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    parser.add_argument("--verbose", action="store_true", help="print all that is said")
    args = parser.parse_args()
    private_environment()
    outcomes = run(args.seconds, verbose=args.verbose)
    print(strict_json.dumps([asdict(outcome) for outcome in outcomes], indent=1) if args.json
          else "\n".join(map(row, outcomes)))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def run(seconds: float, *, verbose: bool) -> list[Outcome]:
    """Drive all three for a time, and look at what came of it."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-three-") as text, ExitStack() as robots:
        folder = Path(text)
        for namespace, robot in ROBOTS.items():
            (folder / namespace).mkdir()
            robots.enter_context(simulated(
                [*robot.words, "--namespace", namespace, "--rate", _LOOP_HZ],
                folder / f"{namespace}.jsonl"))
        runs = {namespace: robots.enter_context(started(folder / namespace, namespace, seconds))
                for namespace in ROBOTS}
        let_go(runs)
        statuses = {namespace: running.wait(seconds) for namespace, running in runs.items()}
        time.sleep(0.5)  # what is on its way arrives
        robots.close()
        if verbose:
            for running in runs.values():
                print("\n".join(line for _, line in running.lines), file=sys.stderr)
        return [looked_at(namespace, folder, statuses[namespace]) for namespace in ROBOTS]


def started(folder: Path, namespace: str, seconds: float) -> Running:
    """Start a robot's graph."""
    robot = ROBOTS[namespace]
    return Running(
        folder, [f"scenario.namespace={namespace}", "scenario.composed=true",
                 f"scenario.policy={ROOT / 'policies' / robot.policy}", *robot.changes],
        duration_s=seconds, config=ROOT / "config" / robot.config)


def let_go(runs: Mapping[str, Running]) -> None:
    """Release what stopped while others started, which takes all of a small machine."""
    scene = Scene(next(iter(runs.values())), {})
    until_s = time.monotonic() + _STARTED_WITHIN_S
    for namespace in runs:
        while scene.ask(f"call {namespace}/release") and time.monotonic() < until_s:
            pass  # each waits for the service, and an answer
    time.sleep(_SETTLES_S)
    for namespace in runs:
        scene.ask(f"call {namespace}/release")
    scene.close()


def looked_at(namespace: str, folder: Path, status: int | None) -> Outcome:
    """Compare a robot's log with the bag of its graph."""
    bag, topic = folder / namespace / "bag", f"/{namespace}/{ROBOTS[namespace].topic}"
    log = [record for record in read(folder / f"{namespace}.jsonl")
           if record["kind"] == "command"]
    topics = open_bag(bag).topics
    sent = list(commands(bag, topic, topics.get(topic, "")))
    unrecorded, strange, lost = differences([tuple(record["values"]) for record in log], sent)
    records = read_run(bag).records
    figures = account(records)
    foreign = foreign_topics(topics, namespace)
    problems = disagreements(records)
    wrong = [*(text for text, is_so in (
        (f"status {status}", status != 0), (f"{strange} strange commands", strange),
        (f"{lost} lost commands", lost), (f"topics of others: {', '.join(foreign)}", foreign),
        ("nothing was sent", not sent), (" ".join(problems[:1]), problems)) if is_so)]
    return Outcome(
        namespace, topics.get(topic, "none"), status, figures["plant"]["ticks"],
        figures["plant"]["missed_ticks"], figures["interaction"]["inaction_fraction"],
        figures["interaction"]["delay_ticks"]["p50"], figures["inference"]["promised_delay_ticks"],
        len(log), len(sent), unrecorded, strange, lost,
        sum(bool(record["problem"]) for record in log),
        foreign, figures["episodes"]["count"], "; ".join(wrong))


def foreign_topics(topics: Collection[str], namespace: str) -> list[str]:
    """Return those of another namespace than a robot's own."""
    return sorted(topic for topic in topics if not topic.startswith(f"/{namespace}/"))


def differences(received: Sequence[Values], sent: Sequence[Values]) -> tuple[int, int, int]:
    """Return how many commands came before or after all of `sent`, and how many are in one only.

    Where what was sent is, in order, a part of what was received, the rest came before its
    recording began, or after that ended.
    """
    more = len(received) - len(sent)
    if any(list(received[begin:begin + len(sent)]) == list(sent) for begin in range(more + 1)):
        return more, 0, 0
    one, other = Counter(received), Counter(sent)
    return 0, (one - other).total(), (other - one).total()


def commands(bag: Path, topic: str, kind: str) -> Iterator[Values]:
    """Return the values of each command that a bag has."""
    for message in open_bag(bag).messages([topic]):
        yield _VALUES[kind](deserialize_message(message.cdr, message_classes.find(kind)))


_VALUES: Mapping[str, Any] = {
    "std_msgs/msg/Float64MultiArray": lambda message: tuple(message.data),
    "trajectory_msgs/msg/JointTrajectory": lambda message: tuple(message.points[-1].positions),
    "geometry_msgs/msg/TwistStamped": lambda message: (message.twist.linear.x,
                                                       message.twist.angular.z)}


def row(outcome: Outcome) -> str:
    """Return an outcome as some lines."""
    inaction = "–" if outcome.inaction is None else f"{outcome.inaction:.2%}"
    return (f"{outcome.namespace:6} {outcome.type}: {outcome.ticks} ticks, {outcome.missed} missed,"
            f" inaction {inaction}, delay {outcome.delay_ticks} (promised "
            f"{outcome.promised_ticks}), {outcome.episodes} episodes\n"
            f"       received {outcome.received}, of its graph's bag {outcome.recorded} and "
            f"{outcome.unrecorded} outside of it, of others {outcome.strange}, "
            f"lost {outcome.lost}, ignored {outcome.ignored}; topics of other "
            f"namespaces in its bag: {len(outcome.foreign_topics)}; status {outcome.status}"
            f"{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")


if __name__ == "__main__":
    sys.exit(main())
