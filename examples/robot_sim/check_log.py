"""What a robot was commanded, from its own log: the largest step, velocity and acceleration.

    python -m examples.robot_sim.check_log runs/arm.jsonl --period 0.02 --limits arm.yaml

`commanded` says how they are reckoned.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from examples.robot_sim.commanded import (
    OF_TWISTS,
    Commands,
    Limits,
    Taken,
    figures,
    jumps,
    motion,
    offences,
    taken_up,
)
from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.log import Record, read

LIMITS = ("min_position", "max_position", "max_step", "max_velocity", "max_acceleration")
_SETTLED_S = 0.2
_MOVES = 1e-4
"""Commands that differ by less do not move a robot."""


@dataclass(frozen=True, slots=True)
class Event:
    """What the commands did from a fault or mark on, until the next one."""

    what: str
    t: float
    commands: int
    step: float
    velocity: float
    settled_s: float | None
    """When they stood still or stopped coming; None: they never did."""
    silent_s: float
    """The longest time without one."""


def gather(records: Iterable[Record]) -> tuple[dict[str, Commands], list[Record], list[Record]]:
    """Return commands by topic, states, and the records of faults and resets."""
    commands: dict[str, Commands] = {}
    states, events = [], []
    for record in records:
        if record["kind"] == "command":
            _add(commands.setdefault(record["topic"], Commands(tuple(record["names"]))), record)
        elif record["kind"] == "state":
            states.append(record)
        elif record["kind"] in ("fault", "reset"):
            events.append(record)
    return commands, states, events


def _add(commands: Commands, record: Record) -> None:
    problem = record["problem"]
    if problem:
        commands.ignored[problem] = commands.ignored.get(problem, 0) + 1
        return
    given = dict(zip(record["names"], record["values"], strict=True))
    commands.times.append(record["t"])
    commands.values.append([given[name] for name in commands.names])


def first_hold(commands: Commands, taken: Taken, tolerance: float) -> dict[str, Any] | None:
    """Return how long the first command was held, and how far from the measured joints it was."""
    if not taken.from_measured or taken.from_measured[0] is None:
        return None
    values = np.array(commands.values)
    moved = np.abs(values - values[0]).max(axis=1) > tolerance
    count = int(moved.argmax()) if moved.any() else len(values)
    return {"commands": count, "seconds": commands.times[count - 1] - commands.times[0],
            "from_measured": float(np.abs(taken.from_measured[0]).max())}


def after(events: Sequence[Record], commands: Commands, anew: NDArray[np.bool_], period_s: float,
          end_s: float) -> list[Event]:
    """Return what the commands did from each event on, until the next one."""
    times, values = np.array(commands.times), np.array(commands.values)
    found = []
    for index, event in enumerate(events):
        until = events[index + 1]["t"] if index + 1 < len(events) else end_s
        begin = max(0, int(np.searchsorted(times, event["t"])) - 1)  # the one before it, too
        end = int(np.searchsorted(times, until, side="right"))
        steps, velocities, _ = motion(values[begin:end], anew[begin:max(begin, end - 1)], period_s)
        found.append(_event(event, times[begin:end], steps, velocities, until))
    return found


def _event(event: Record, times: NDArray[np.float64], steps: NDArray[np.float64],
           velocities: NDArray[np.float64], until: float) -> Event:
    what = event["kind"] if event["kind"] == "reset" else (
        f"{event['fault']} {'begins' if event['begins'] else 'ends'}")
    step = velocity = 0.0
    moves = np.zeros(0)
    if len(times) > 1:
        step, velocity = float(np.abs(steps).max()), float(np.abs(velocities).max())
        moves = times[1:][np.abs(steps).max(axis=1) > _MOVES]
    # a move, and nothing for a while after it
    edges = np.array([event["t"], *moves[moves >= event["t"]], until])
    quiet = np.flatnonzero(np.diff(edges) >= _SETTLED_S)
    gaps = np.diff([event["t"], *times[times >= event["t"]], until])
    return Event(what, event["t"], int((times >= event["t"]).sum()), step, velocity,
                 float(edges[quiet[0]] - event["t"]) if len(quiet) else None, float(gaps.max()))


def read_limits(path: Path | None, words: Iterable[str]) -> Limits:
    """Read limits of a contract's file, `robot.ros__parameters.limits`, and `JOINT.LIMIT=VALUE`."""
    limits: Limits = {}
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            given = content["robot"]["ros__parameters"]["limits"]
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise SimulatorError(f"limits {str(path)!r}: no robot.ros__parameters.limits in it "
                                 f"({' '.join(str(error).split())})") from error
        twists = {element: name for name, element in OF_TWISTS.items()}
        limits = {twists.get(name, str(name)): {key: float(value) for key, value in joint.items()
                                                if key in LIMITS}
                  for name, joint in given.items() if isinstance(joint, dict)}
    for word in words:
        place, _, value = word.partition("=")
        name, _, limit = place.rpartition(".")
        if limit not in LIMITS or not name:
            raise SimulatorError(f"--limit {word!r}: write it like j1.max_velocity=1.5, of "
                                 f"{', '.join(LIMITS)}")
        try:
            limits.setdefault(name, {})[limit] = float(value)
        except ValueError as error:
            raise SimulatorError(f"--limit {word!r}: {value!r} is not a number") from error
    return limits


def check(path: Path, period_s: float, limits: Limits, tolerance: float) -> dict[str, Any]:
    """Return all figures of a log, by topic."""
    commands, states, events = gather(records := list(read(path)))
    if not records or records[0]["kind"] != "robot":
        raise SimulatorError(f"log {str(path)!r}: it does not begin as the log of a robot")
    joints, end_s = records[0]["joints"], records[-1]["t"]
    topics = {}
    for topic, given in commands.items():
        taken = taken_up(given, states, joints)
        found = figures(given, taken.anew, period_s)
        topics[topic] = {
            "commands": len(given.times), "ignored": given.ignored,
            "joints": {name: asdict(joint) for name, joint in found.items()},
            "beyond": [*offences(found, limits, period_s, tolerance),
                       *jumps(given, taken, limits, period_s)],
            "unlimited": [name for name in found if limits and not limits.get(name)],
            "anew": max((float(np.abs(each).max()) for each in taken.from_measured[1:]
                         if each is not None), default=None),
            "hold": first_hold(given, taken, 1e-3),
            "events": [asdict(event) for event in after(
                events, given, taken.anew, period_s, end_s)]
            if given.times else []}
    return {"log": str(path), "seconds": end_s, "period_s": period_s, "topics": topics}


def write(result: dict[str, Any]) -> None:
    print(f"{result['log']}: {result['seconds']:.1f} s, a command every "
          f"{result['period_s'] * 1e3:g} ms")
    for topic, found in result["topics"].items():
        ignored = "".join(f"; {count} ignored: {why}" for why, count in found["ignored"].items())
        print(f"{topic}: {found['commands']} commands{ignored}")
        for name, joint in found["joints"].items():
            print(f"  {name}: {joint['low']:.4f} … {joint['high']:.4f}, step {joint['step']:.5f}, "
                  f"velocity {joint['velocity']:.4f}, acceleration {joint['acceleration']:.3f}")
        if found["hold"] is not None:
            hold = found["hold"]
            print(f"  at first held for {hold['commands']} commands, {hold['seconds']:.2f} s, "
                  f"{hold['from_measured']:.6f} from what was measured")
        if found["anew"] is not None:
            print(f"  taken up anew after a silence at most {found['anew']:.6f} from what was "
                  "measured")
        for event in found["events"]:
            settled = ("never stood still" if event["settled_s"] is None
                       else f"stood still after {event['settled_s']:.3f} s")
            print(f"  {event['what']} at {event['t']:.2f} s: {event['commands']} commands, step "
                  f"{event['step']:.5f}, velocity {event['velocity']:.4f}, {settled}, silent for "
                  f"{event['silent_s']:.3f} s")
        if found["unlimited"]:
            print(f"  no limits are given for {', '.join(found['unlimited'])}")
        for line in found["beyond"]:
            print(f"  BEYOND {line}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; status 1 when a limit was exceeded, 2 for what cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m examples.robot_sim.check_log",
                                     description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--period", type=float, required=True, metavar="S", help="of the commands")
    parser.add_argument("--limits", type=Path, metavar="CONTRACT",
                        help="a robot's contract, whose limits are taken")
    parser.add_argument("--limit", action="append", default=[], metavar="JOINT.LIMIT=VALUE")
    parser.add_argument("--tolerance", type=float, default=1e-6,
                        help="of positions and steps (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    args = parser.parse_args(arguments)
    try:
        if not args.period > 0:
            raise SimulatorError(f"--period {args.period}: it must be above 0")
        result = check(args.log, args.period, read_limits(args.limits, args.limit), args.tolerance)
    except SimulatorError as error:
        print(f"check_log: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        write(result)
    return int(any(found["beyond"] for found in result["topics"].values()))


if __name__ == "__main__":
    sys.exit(main())
