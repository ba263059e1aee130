"""What a policy is worth in virtual time and on the simulated robot: returns with intervals.

The robot is `examples/robot_sim` in a process of its own, driven by `config/so101.yaml` as it is:
with its emulated 120 ms model. The plant is that of `config/so101_virtual.yaml`, with as many ticks
of delay as were measured on the robot. It is played twice: with targets of its own, and with
those that the robot had, which leaves what the two worlds differ by. A base begins each episode
where the one before ended, in both worlds: it is played with targets of its own alone. What the
robot was commanded, by its own log, is held against the contract's limits: the status is 1 where
one was exceeded.

    python -m benchmarks.robot_gap
    python -m benchmarks.robot_gap --robot base-twist
    python -m benchmarks.robot_gap --episodes 10 --seed 1 --policy runs/reach/policy.onnx --json -
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.running import ROOT, Running, private_environment
from benchmarks.simulated import simulated
from examples.robot_sim import check_log
from realtime_rl import strict_json
from realtime_rl.bags.reader import read_run
from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.figures.intervals import Interval, mean_of
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.plants import registry
from realtime_rl.simulate import players
from realtime_rl.simulate.loop import Delay, Loop, VirtualTick

CONFIG = ROOT / "config"
_LONGEST_S = 14.0
"""An episode with all that is between it and the next one."""
_SPARE = 4
"""Targets beside those of the episodes: the first, and some that change within one."""
_LOOK_S = 1.0
_LOG = "robot.jsonl"
"""Of the robot's own."""
Place = tuple[float, ...]


@dataclass(frozen=True)
class World:
    """A robot, simulated apart and as a plant."""

    robot: Path
    virtual: Path
    policy: str
    words: tuple[str, ...]
    """Of the simulator's command line."""
    changes: tuple[str, ...] = ()
    """Of the robot's scenario."""
    stays: bool = False
    """It begins an episode where the one before ended."""


_BASE = World(CONFIG / "base.yaml", CONFIG / "base_virtual.yaml", "base_goal",
              ("base", "--renew", "1", "--patience", "15"), stays=True)
WORLDS = {
    "arm": World(CONFIG / "so101.yaml", CONFIG / "so101_virtual.yaml", "so101_reach",
                 ("arm", "--moving", "shoulder_pan", "shoulder_lift", "elbow_flex", "--tolerance",
                  "0.04", "--renew-home")),
    "base": _BASE,
    "base-twist": replace(_BASE, words=(*_BASE.words, "--twist"),
                          changes=("robot.action.drive.type=geometry_msgs/msg/Twist",))}


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
    episodes: int
    total: Interval
    acted: Interval
    ticks: float
    waited: float
    not_reached: int


def main() -> int:
    """Measure both worlds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robot", choices=WORLDS, default="arm")
    parser.add_argument("--episodes", type=int, default=20, metavar="N")
    parser.add_argument("--policy", default="", metavar="FILE|NAME",
                        help="default: the robot's own")
    parser.add_argument("--seed", type=int, default=0, help="of both worlds' targets")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    private_environment()
    world = WORLDS[args.robot]
    policy = policy_file(args.policy or world.policy)
    with tempfile.TemporaryDirectory(prefix="realtime_rl-gap-") as name:
        live, places, delay = on_robot(world, policy, args.episodes, args.seed, Path(name))
        largest, beyond = commanded(world, Path(name) / _LOG)
    own, same = virtual(world, policy, delay, places, args.seed)
    found = {"robot": args.robot, "policy": args.policy or world.policy, "delay_ticks": delay,
             "seed": args.seed, **figures(own, same, live), "commanded": largest, "beyond": beyond}
    print(strict_json.dumps(found, indent=1) if args.json else "\n".join(told(found)))
    return int(bool(beyond))


def virtual(world: World, policy: str, delay: int, places: Sequence[Place], seed: int
            ) -> tuple[list[Episode], list[Episode]]:
    """Play as many episodes as there are places: with targets of its own, and with these."""
    options, count = plant_options(world), len(places)
    if world.stays:
        return in_virtual_time(policy, delay, options, seed, count), []
    return ([each for own in range(seed * count, (seed + 1) * count)
             for each in in_virtual_time(policy, delay, options, own)],
            [each for place in places
             for each in in_virtual_time(policy, delay, {**options, "target": text(place)}, 0)])


def figures(own: list[Episode], same: list[Episode], live: list[Episode]) -> dict[str, Any]:
    """Return the figures of both worlds, and what they differ by, target by target."""
    rows = [row("virtual, targets of its own", own),
            *([row("virtual, the robot's targets", same)] if same else []), row("robot", live)]
    pairs = list(zip(live, same, strict=False))
    played = [own, *([same] if same else []), live]
    return {"rows": [asdict(each) for each in rows], "episodes": {
        each.name: list(map(asdict, those)) for each, those in zip(rows, played, strict=True)}, **({
        "robot_less_virtual": asdict(mean_of([a.total - b.total for a, b in pairs])),
        "robot_less_virtual_acted": asdict(mean_of([a.acted - b.acted for a, b in pairs]))}
        if pairs else {})}


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """Return the figures in words."""
    yield (f"{found['rows'][0]['episodes']} episodes each, {found['delay_ticks']} ticks from "
           "observation to action")
    for each in found["rows"]:
        total, acted = Interval(**each["total"]), Interval(**each["acted"])
        yield (f"{each['name']:28} return {total:.2f}; from the first action on {acted:.2f}; "
               f"{each['ticks']:.1f} ticks, the first {each['waited']:.1f} without one; "
               f"{each['not_reached']} not reached")
    if "robot_less_virtual" in found:
        total = Interval(**found["robot_less_virtual"])
        acted = Interval(**found["robot_less_virtual_acted"])
        yield (f"robot less virtual, target by target: {total:.2f}; from the first action on "
               f"{acted:.2f}")
    for name, each in found["commanded"].items():
        yield (f"commanded, {name}: velocity {each['velocity']:.4f}, acceleration "
               f"{each['acceleration']:.3f}")
    yield f"beyond the limits: {'; '.join(found['beyond']) or 'nothing'}"


def plant_options(world: World) -> dict[str, str]:
    """Return the plant's options of the virtual scenario, with its files' own paths."""
    values = yaml.safe_load(world.virtual.read_text(encoding="utf-8"))["plant"]["ros__parameters"]
    options = registry.parse_options(values["options"])
    return {**options, **{name: str(world.virtual.parent / text) for name in ("contract", "model")
                          if "://" not in (text := options[name])}}


def policy_file(name: str) -> str:
    """Return the file of a policy, or of a bundled one's name."""
    bundled = ROOT / "policies" / f"{name}.onnx"
    return str(bundled if bundled.is_file() else name)


def in_virtual_time(policy: str, delay: int, options: dict[str, str], seed: int, count: int = 1
                    ) -> list[Episode]:
    """Play one episode, or several one after another."""
    plant = registry.make("mujoco", dict(options), seed)
    try:
        player = players.load(policy, 1, plant.spec, Exploration.parse(OFF))(seed)
        loop = Loop(plant, player.policy, Delay(delay), stack=player.stack, applied=player.applied)
        return [episode(iter(loop.advance, None)) for _ in range(count)]
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


def on_robot(world: World, policy: str, episodes: int, seed: int, folder: Path
             ) -> tuple[list[Episode], list[Place], int]:
    """Return episodes on the simulated robot, their targets, and the delay [ticks]."""
    log = folder / _LOG
    with simulated([*world.words, "--seed", str(seed)], log), Running(
            folder, [f"scenario.policy={policy}", *world.changes],
            duration_s=episodes * _LONGEST_S + 30.0, config=world.robot) as running:
        while running.process.poll() is None and len(targets(log)) <= episodes + _SPARE:
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


def commanded(world: World, log: Path) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the largest of what each joint was commanded, and what was beyond the limits."""
    scenario = yaml.safe_load(world.robot.read_text(encoding="utf-8"))["scenario"]
    contract = world.robot.parent / scenario["ros__parameters"]["robot"]
    period_s = yaml.safe_load(contract.read_text(encoding="utf-8"))[
        "robot"]["ros__parameters"]["period"]
    topics = check_log.check(log, period_s, check_log.read_limits(contract, ()), 1e-6)["topics"]
    return ({name: {what: joint[what] for what in ("step", "velocity", "acceleration")}
             for found in topics.values() for name, joint in found["joints"].items()},
            [line for found in topics.values() for line in found["beyond"]])


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
    return Row(name, count, mean_of([each.total for each in episodes]),
               mean_of([each.acted for each in episodes]),
               sum(each.ticks for each in episodes) / count,
               sum(each.waited for each in episodes) / count,
               sum(not each.reached for each in episodes))


if __name__ == "__main__":
    sys.exit(main())
