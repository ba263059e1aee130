"""What a policy is worth in virtual time and on the simulated robot: returns with intervals.

The robot is `examples/robot_sim` in a process of its own, driven by `config/so101.yaml` as it is:
with its emulated 120 ms model. The plant is that of `config/so101_virtual.yaml`, with as many ticks
of delay as were measured on the robot. It is played twice: with targets of its own, and with
those that the robot had, which leaves what the two worlds differ by.

    python -m benchmarks.robot_gap
    python -m benchmarks.robot_gap --episodes 10 --seed 1 --policy runs/reach/policy.onnx --json -
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from benchmarks.running import ROOT, Running, private_environment
from realtime_rl import strict_json
from realtime_rl.bags.reader import read_run
from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.figures.intervals import Interval, mean_of
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.plants import registry
from realtime_rl.simulate import players
from realtime_rl.simulate.loop import Delay, Loop, VirtualTick

ROBOT, VIRTUAL = ROOT / "config" / "so101.yaml", ROOT / "config" / "so101_virtual.yaml"
_MOVING = ("shoulder_pan", "shoulder_lift", "elbow_flex")
_NEAR_M = 0.04
_LONGEST_S = 14.0
"""An episode with all that is between it and the next one."""
_LOOK_S = 1.0
Place = tuple[float, ...]


@dataclass(frozen=True)
class Episode:
    """One, as it went."""

    total: float
    """Its return."""
    acted: float
    """The same from the policy's first action on."""
    ticks: int
    waited: int
    """Ticks before that action."""
    reached: bool


@dataclass(frozen=True)
class Row:
    """Episodes of one world."""

    name: str
    total: Interval
    acted: Interval
    ticks: float
    waited: float
    not_reached: int


def main() -> int:
    """Measure both worlds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=20, metavar="N")
    parser.add_argument("--policy", default="so101_reach", metavar="FILE|NAME")
    parser.add_argument("--seed", type=int, default=0, help="of both worlds' targets")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    private_environment()
    live, places, delay = on_robot(args.policy, args.episodes, args.seed)
    options = plant_options()
    own = [in_virtual_time(args.policy, delay, options, seed)
           for seed in range(args.seed * args.episodes, (args.seed + 1) * args.episodes)]
    same = [in_virtual_time(args.policy, delay, {**options, "target": text(place)}, 0)
            for place in places]
    rows = [row("virtual, targets of its own", own), row("virtual, the robot's targets", same),
            row("robot", live)]
    total = mean_of([robot.total - virtual.total
                     for robot, virtual in zip(live, same, strict=True)])
    acted = mean_of([robot.acted - virtual.acted
                     for robot, virtual in zip(live, same, strict=True)])
    if args.json:
        print(strict_json.dumps({
            "policy": args.policy, "delay_ticks": delay, "seed": args.seed,
            "rows": [asdict(each) for each in rows], "robot_less_virtual": asdict(total),
            "robot_less_virtual_acted": asdict(acted)}, indent=1))
        return 0
    print(f"{len(live)} episodes each, {delay} ticks from observation to action")
    for each in rows:
        print(f"{each.name:28} return {each.total:.2f}; from the first action on {each.acted:.2f};"
              f" {each.ticks:.1f} ticks, the first {each.waited:.1f} without one; "
              f"{each.not_reached} not reached")
    print(f"robot less virtual, target by target: {total:.2f}; from the first action on "
          f"{acted:.2f}")
    return 0


def plant_options() -> dict[str, str]:
    """Return the plant's options of the virtual scenario, with the contract's own path."""
    values = yaml.safe_load(VIRTUAL.read_text(encoding="utf-8"))["plant"]["ros__parameters"]
    options = registry.parse_options(values["options"])
    return {**options, "contract": str(VIRTUAL.parent / options["contract"])}


def policy_file(name: str) -> str:
    """Return the file of a policy, or of a bundled one's name."""
    bundled = ROOT / "policies" / f"{name}.onnx"
    return str(bundled if bundled.is_file() else name)


def in_virtual_time(policy: str, delay: int, options: dict[str, str], seed: int) -> Episode:
    """Play one episode."""
    plant = registry.make("mujoco", dict(options), seed)
    try:
        player = players.load(policy_file(policy), 1, plant.spec, Exploration.parse(OFF))(seed)
        loop = Loop(plant, player.policy, Delay(delay), stack=player.stack, applied=player.applied)
        return episode(iter(loop.advance, None))
    finally:
        plant.close()


def episode(ticks: Iterable[VirtualTick | Timestep | None]) -> Episode:
    """Reckon one up, from its first tick to its last."""
    total = acted = 0.0
    count = waited = 0
    began = False
    for each in ticks:
        assert each is not None
        began = began or each.cause is Cause.POLICY
        total, count = total + each.reward, count + 1
        if began:
            acted += each.reward
        else:
            waited += 1
        if each.last:
            return Episode(total, acted, count, waited, each.discount == 0.0)
    raise ValueError("the episode does not end")


def on_robot(policy: str, episodes: int, seed: int) -> tuple[list[Episode], list[Place], int]:
    """Return episodes on the simulated robot, their targets, and the delay [ticks]."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-gap-") as name:
        log, folder = Path(name) / "arm.jsonl", Path(name)
        with _simulated(log, seed), Running(
                folder, [f"scenario.policy={policy}"], duration_s=episodes * _LONGEST_S + 30.0,
                config=ROBOT) as running:
            while running.process.poll() is None and len(targets(log)) <= episodes + 1:
                time.sleep(_LOOK_S)
            running.process.send_signal(signal.SIGINT)
            running.wait()
        steps = read_run(running.bag).records.timesteps
        drawn = targets(log)
    delays = Counter(step.tick - step.observation_tick for step in steps
                     if step.cause is Cause.POLICY)
    # before the first one nobody was told a target in time: the nodes were still meeting
    whole = [each for each in split(steps) if each[0].episode][:episodes]
    if len(whole) < episodes:
        raise SystemExit(f"only {len(whole)} whole episodes in the time; last words: "
                         f"{running.lines[-1][1]}")
    return ([episode(each) for each in whole],
            [place_at(drawn, each[-1].stamp_ns) for each in whole], delays.most_common(1)[0][0])


@contextmanager
def _simulated(log: Path, seed: int) -> Iterator[None]:
    arm = subprocess.Popen(
        [sys.executable, "-m", "examples.robot_sim", "arm", "--moving", *_MOVING, "--tolerance",
         str(_NEAR_M), "--renew-home", "--seed", str(seed), "--log", str(log)],
        cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        arm.terminate()
        arm.wait(10.0)


def split(steps: Sequence[Timestep]) -> list[list[Timestep]]:
    """Return the ticks of each whole episode, without those between two."""
    found: list[list[Timestep]] = []
    inside = False
    for step in steps:
        if step.first:
            found.append([])
            inside = True
        if inside:
            found[-1].append(step)
            inside = not step.last
    return found[:-1] if inside else found


def targets(log: Path) -> list[tuple[int, Place]]:
    """Return when [ns since the epoch] each target was drawn, and where it is."""
    found: list[tuple[int, Place]] = []
    clock_ns = 0
    if not log.is_file():
        return found
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if '"kind": "robot"' in line:
                clock_ns = json.loads(line)["clock_ns"]
            elif '"kind": "target"' in line and line.endswith("\n"):
                record = json.loads(line)
                found.append((clock_ns + round(record["t"] * 1e9), tuple(record["place"])))
    return found


def place_at(drawn: Sequence[tuple[int, Place]], stamp_ns: int) -> Place:
    """Return the newest target at a time."""
    return [place for begin_ns, place in drawn if begin_ns <= stamp_ns][-1]


def text(place: Place) -> str:
    """Return a place as the plant's option `target` takes it."""
    return " ".join(map(repr, place))


def row(name: str, episodes: Sequence[Episode]) -> Row:
    """Return the figures of one world."""
    count = len(episodes)
    return Row(name, mean_of([each.total for each in episodes]),
               mean_of([each.acted for each in episodes]),
               sum(each.ticks for each in episodes) / count,
               sum(each.waited for each in episodes) / count,
               sum(not each.reached for each in episodes))


if __name__ == "__main__":
    sys.exit(main())
