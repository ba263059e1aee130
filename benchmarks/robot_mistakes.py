"""What `robot init` and `robot check` print of two robots, and of each of ten mistakes.

Each mistake is made once, in the contract or in the robot, with `examples/robot_sim` in a process
of its own: an arm or a base. It is as it should be when what is wrong is said, and nothing else.

    python -m benchmarks.robot_mistakes
    python -m benchmarks.robot_mistakes --only arm swapped-order --json -
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.running import ROOT, private_environment
from benchmarks.simulated import simulated
from realtime_rl import strict_json

_ROBOTS = {"arm": ("so101.yaml", ("arm", "--moving", "shoulder_pan", "shoulder_lift",
                                  "elbow_flex")),
           "base": ("base.yaml", ("base",))}
_SECONDS = "2"
_LONGEST_S = 90.0
_CAMERA = {"topic": "front/image_raw", "type": "sensor_msgs/msg/Image", "max_age": 0.5,
           "image": {"width": 160, "height": 120}}
_SEEN = {"observations": ["state", "front"], "observation.front": {"sources": ["front"]}}


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where that is to be said."""

    robot: str
    wrong: tuple[str, ...] = ()
    """Places in the contract; none: it is refused before anybody listens."""
    changes: Mapping[str, object] = field(default_factory=dict)
    """Of the contract: values by their path."""
    words: tuple[str, ...] = ()
    """Of the robot's command line."""
    robots: int = 1
    """So many are started."""
    refused: bool = False


MISTAKES = {
    "arm": Mistake("arm"),
    "base": Mistake("base"),
    "no-robot": Mistake("base", (*(f"source.{name}.topic" for name in ("odom", "scan", "target")),
                                 "action.drive.topic"), robots=0),
    "wrong-type": Mistake("base", ("source.scan.type",), {
        "source.scan.type": "sensor_msgs/msg/Imu", "source.scan.fields": ["angular_velocity.x"]}),
    "wrong-type-of-a-camera": Mistake("arm", ("source.front.type",), {
        "source.front": {**_CAMERA, "type": "sensor_msgs/msg/CompressedImage"}, **_SEEN}),
    "wrong-command-type": Mistake("base", ("action.drive.type",), {
        "action.drive.type": "geometry_msgs/msg/Twist"}),
    "wrong-joint-name": Mistake("arm", ("source.joints.fields",), {
        "source.joints.fields": ["position.shoulder_pan_joint"]}),
    "wrong-qos": Mistake("arm", ("source.joints.reliability",), {
        "source.joints.reliability": "reliable"}),
    "wrong-qos-of-a-base": Mistake("base", ("source.scan.reliability",), {
        "source.scan.reliability": "reliable"}),
    "swapped-order": Mistake("arm", ("action.arm.names",), {
        "action.arm.names": ["shoulder_lift", "shoulder_pan", "elbow_flex", "wrist_flex",
                             "wrist_roll"]}),
    "stale-stamps": Mistake("arm", ("source.joints.stamps",), words=("--fault", "old=joints")),
    "stale-stamps-of-a-base": Mistake("base", ("source.odom.stamps",),
                                      words=("--fault", "old=odom")),
    "wrong-size": Mistake("arm", ("source.front",), {
        "source.front": _CAMERA, **_SEEN}, ("--camera", "320", "240")),
    "no-publisher": Mistake("arm", ("source.joints.topic",), {
        "source.joints.topic": "arm/joint_states"}),
    "no-publisher-of-a-base": Mistake("base", ("source.scan.topic",), {
        "source.scan.topic": "laser_scan"}),
    "two-publishers": Mistake("base", tuple(f"source.{name}.topic" for name in (
        "odom", "target", "scan")), robots=2),
    "wrong-unit": Mistake("arm", ("source.tip.scale",), words=("--fault", "unit=tip")),
    "wrong-unit-of-a-base": Mistake("base", ("source.scan.scale",), words=(
        "--fault", "unit=scan")),
    "long-period": Mistake("base", ("period",), {
        "period": 0.6, "action.drive.timeout": 1.0, "start.ramp": 1.0, "source.odom.max_age": 1.0,
        "source.scan.max_age": 1.0, "source.target.max_age": 1.0}),
    "long-period-by-the-contract": Mistake("base", changes={"period": 0.6}, refused=True),
}


@dataclass(frozen=True)
class Outcome:
    """What was printed of a robot with one mistake."""

    mistake: str
    robot: str
    status: int
    said: tuple[str, ...]
    """What is wrong, a line each."""
    wrong: str
    """What should have been otherwise."""


def main() -> int:
    """Try the mistakes that are asked for; the status is 1 where one was not said as it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MISTAKES, metavar="MISTAKE",
                        default=[*MISTAKES], help=f"of {', '.join(MISTAKES)}")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    private_environment()
    outcomes = []
    for outcome in (each for name in args.only for each in run(name)):
        outcomes.append(outcome)
        print(row(outcome), file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(strict_json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def run(name: str) -> Iterator[Outcome]:
    """Make a mistake, and have it looked at; of a robot without one, begin a contract, too."""
    mistake = MISTAKES[name]
    file, words = _ROBOTS[mistake.robot]
    with tempfile.TemporaryDirectory(prefix="realtime_rl-robot-") as text, ExitStack() as robots:
        contract = Path(text) / file
        contract.write_text(yaml.safe_dump(changed(
            yaml.safe_load((ROOT / "config" / "robots" / file).read_text()), mistake.changes)))
        for _ in range(mistake.robots):
            robots.enter_context(simulated([*words, *mistake.words]))
        if not mistake.wrong and not mistake.refused:
            yield begun(name, mistake.robot, Path(text) / "begun.yaml")
        yield checked(name, mistake, contract)


def changed(content: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Return a parameter file with other values in its contract."""
    for path, value in changes.items():
        *sections, key = path.split(".")
        body = content["robot"]["ros__parameters"]
        for section in sections:
            body = body[section]
        body[key] = value
    return content


def asked(*words: str) -> subprocess.CompletedProcess[str]:
    """Ask `realtime-rl robot`."""
    return subprocess.run([sys.executable, "-m", "realtime_rl.cli.main", "robot", *words],
                          check=False, capture_output=True, text=True, timeout=_LONGEST_S)


def begun(name: str, robot: str, path: Path) -> Outcome:
    """Have a contract begun; it is refused until a person filled it in."""
    made = asked("init", "--out", str(path), "--seconds", _SECONDS)
    if made.returncode:
        return Outcome(f"{name}, init", robot, made.returncode, _lines(made.stderr), "no contract")
    refused = asked("check", str(path))
    text = path.read_text()
    said = (f"{len(text.splitlines())} lines, {text.count('FILL_IN')} times FILL_IN",
            *_lines(refused.stderr))
    return Outcome(f"{name}, init", robot, made.returncode, said,
                   "" if refused.returncode == 2 and "FILL_IN" in refused.stderr
                   else "it is taken as it is")


def checked(name: str, mistake: Mistake, contract: Path) -> Outcome:
    """Have a contract checked."""
    made = asked("check", str(contract), "--seconds", _SECONDS, "--json", "-")
    findings = [] if made.returncode == 2 else json.loads(made.stdout)["findings"]
    return judged(name, mistake, made.returncode, findings, _lines(made.stderr))


def judged(name: str, mistake: Mistake, status: int, findings: Sequence[Mapping[str, str]],
           said: tuple[str, ...]) -> Outcome:
    """Compare what was said with what is wrong."""
    found = [each for each in findings if each["level"] == "wrong"]
    lines = tuple(f"{each['where']}: {each['text']}" for each in found) or said
    wanted = 2 if mistake.refused else int(bool(mistake.wrong))
    places = sorted({each["where"] for each in found})
    if mistake.robots > 1:  # whatever both of them say may be found wrong as well
        places = [place for place in places if place in mistake.wrong]
    wrong = [*([f"status {status}, not {wanted}"] if status != wanted else []),
             *([f"it says {places}, not {sorted(mistake.wrong)}"]
               if places != sorted(mistake.wrong) else [])]
    return Outcome(name, mistake.robot, status, lines, "; ".join(wrong))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.splitlines())))


def row(outcome: Outcome) -> str:
    """Return an outcome as some lines."""
    return "\n".join((
        f"{outcome.mistake} ({outcome.robot}): status {outcome.status}"
        f"{f'   NOT AS IT SHOULD BE: {outcome.wrong}' if outcome.wrong else ''}",
        *(f"    {line}" for line in outcome.said)))


if __name__ == "__main__":
    sys.exit(main())
