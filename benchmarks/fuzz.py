"""Malformed messages of every topic against a running graph: who ends, who grows, who is late?

The bundled game, with its learner and its recorder, as fast as the model answers. Every tenth
message is no message at all, but bytes.

    python -m benchmarks.fuzz
    python -m benchmarks.fuzz --messages 1000 --rate 500 --no-learner --json -
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.publisher import Publisher

from benchmarks.malformed import STRANGER, every
from benchmarks.running import Running, private_environment
from realtime_rl import strict_json
from realtime_rl.bags.reader import read_run
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages import topics
from realtime_rl.ros import qos

_SETTLE_S = 8.0
_CALM_S = 3.0
_END_S = 5.0
"""What starting and ending take beside."""
_LATCHED = ("schedule", "policy")
_LEARNER_S = 40.0
"""Until its replay is full, and it has learned and exported."""
_SMALL_REPLAY = 1000


@dataclass(frozen=True)
class NodeFate:
    """What became of one node."""

    name: str
    ends: int
    before_mb: float
    half_mb: float | None
    after_mb: float | None
    """Resident memory before, at half and after all messages [10⁶ bytes]; `None`: not there."""


@dataclass(frozen=True)
class Result:
    """What became of the graph."""

    sent: dict[str, int]
    """Messages by topic."""
    seconds: float
    nodes: tuple[NodeFate, ...]
    ticks: int
    """That the plant made meanwhile, as recorded."""
    missed: int
    status: int | None
    bag: str
    """What is wrong with it."""


class Stranger:
    """Publishes on every topic."""

    def __init__(self) -> None:
        self._node = rclpy.create_node("fuzz")
        self._publishers: dict[tuple[str, type], Publisher] = {}

    def send(self, topic: topics.Topic, kind: type, message: Any) -> None:
        """Publish a message, or bytes."""
        key = (topic.name, kind)
        if key not in self._publishers:
            self._publishers[key] = self._node.create_publisher(
                kind, topic.name, qos.LATCHED if topic.name in _LATCHED else qos.RECORD)
        self._publishers[key].publish(message)


def fuzz(args: argparse.Namespace, folder: Path) -> Result:
    """Start a graph, send it everything, and look at it."""
    settle_s = _SETTLE_S + (0.0 if args.no_learner else _LEARNER_S)
    lasts_s = args.messages * len(topics.TOPICS) / args.rate
    words = ["inference.latency=none", f"scenario.learner={str(not args.no_learner).lower()}",
             "recorder.observations=false", "scenario.allow_second=true",
             f"learner.replay_size={_SMALL_REPLAY}", f"learner.learn_start={_SMALL_REPLAY}"]
    with Running(folder, words, duration_s=settle_s + 1.3 * lasts_s + 2 * _CALM_S) as running:
        running.wait_for("plant", "actuator", "inference_0", "coordinator", "monitor", "recorder",
                         timeout_s=30.0)
        time.sleep(settle_s)
        pids = running.pids()
        before, half = memories_mb(pids), dict[str, float | None]()
        begin_ns = time.time_ns()
        sent = send_all(args, lambda: half.update(memories_mb(pids)))
        end_ns = time.time_ns()
        time.sleep(_CALM_S)
        now = running.pids()
        after = memories_mb(now)
        status = running.wait()
        lines = [line for _, line in running.lines]
    if args.verbose:
        print("\n".join(lines), file=sys.stderr)
    ends = Counter(name for name in pids for line in lines
                   if f"[{name}]: died with status" in line)
    nodes = tuple(NodeFate(
        name, max(ends[name], int(now.get(name) != pids[name])), before[name] or 0.0,
        half.get(name), after.get(name)) for name in sorted(pids))
    try:
        run, problem = read_run(running.bag), ""
    except RealtimeRlError as error:
        return Result(sent, (end_ns - begin_ns) / 1e9, nodes, 0, 0, status, str(error))
    steps = [step for step in run.records.timesteps
             if step.plant != STRANGER and begin_ns <= step.stamp_ns <= end_ns]
    problem = "" if steps else "no tick of the plant is in it"
    return Result(sent, (end_ns - begin_ns) / 1e9, nodes, len(steps),
                  sum(step.missed for step in steps), status, problem)


def send_all(args: argparse.Namespace, at_half: Callable[[], None]) -> dict[str, int]:
    """Send all messages at about the rate that is asked for; return how many of each topic."""
    halfway = args.messages * len(topics.TOPICS) // 2
    rclpy.init()
    try:
        stranger, sent = Stranger(), Counter[str]()
        begin_s = time.monotonic()
        for number, (topic, kind, message) in enumerate(every(args.seed, args.messages)):
            if number == halfway:
                at_half()
            while number > (time.monotonic() - begin_s) * args.rate:
                time.sleep(0.001)
            stranger.send(topic, kind, message)
            sent[topic.name] += 1
        return dict(sent)
    finally:
        rclpy.shutdown()


def memories_mb(pids: dict[str, int]) -> dict[str, float | None]:
    """Resident memory of processes [10⁶ bytes]."""
    found: dict[str, float | None] = {}
    for name, pid in pids.items():
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            found[name] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        except OSError:
            found[name] = None
    return found


def table(result: Result) -> str:
    lines = [f"{sum(result.sent.values())} malformed messages of {len(result.sent)} topics in "
             f"{result.seconds:.0f} s",
             f"{'node':14} {'ended':>5} {'before':>9} {'half':>9} {'after':>9}"]
    for node in result.nodes:
        memories = "".join(f" {'gone' if mb is None else f'{mb:.1f} MB':>9}"
                           for mb in (node.before_mb, node.half_mb, node.after_mb))
        lines.append(f"{node.name:14} {node.ends:5}{memories}")
    lines.append(f"ticks meanwhile: {result.ticks}, missed: {result.missed}; status "
                 f"{result.status}{f'; the bag: {result.bag}' if result.bag else ''}")
    return "\n".join(lines)


def main() -> int:
    """Fuzz a graph and say what came of it; 1 where a node ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, metavar="N",
                        help="of every topic (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1000.0, metavar="N",
                        help="messages a second, of all topics together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-learner", action="store_true", help="leave the learner out")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    parser.add_argument("--verbose", action="store_true", help="print all that is said")
    args = parser.parse_args()
    if args.messages < 1 or not args.rate > 0.0:
        parser.error("--messages and --rate must be above 0")
    private_environment()
    with tempfile.TemporaryDirectory(prefix="realtime_rl-fuzz-") as folder:
        try:
            result = fuzz(args, Path(folder))
        except TimeoutError as error:
            print(f"fuzz: {error}", file=sys.stderr)
            return 2
    print(strict_json.dumps(asdict(result), indent=1) if args.json else table(result))
    return 1 if any(node.ends for node in result.nodes) or result.status else 0


if __name__ == "__main__":
    sys.exit(main())
