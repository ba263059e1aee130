"""What the simulated arm is commanded at several rates while nothing goes wrong.

For each rate a composed graph of `robot_faults.yaml` with an emulated 120 ms model and as many
workers as are planned, beside `examples/robot_sim` in a process of its own, with a policy that
swings the arm from limit to limit. What the arm was commanded comes from the arm's own log.

    python -m benchmarks.robot_rates
    python -m benchmarks.robot_rates --rates 200 --seconds 60 --without-camera --json -
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx
import yaml

from benchmarks.robot_faults import CONFIG, TOPIC
from benchmarks.robot_scene import policy
from benchmarks.running import Running, private_environment
from benchmarks.simulated import simulated
from examples.robot_sim import check_log
from realtime_rl import strict_json
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.reader import read_run
from realtime_rl.bench.text import number
from realtime_rl.core.figures.accounting import account

_RATES_HZ = (50.0, 200.0)
_START_S = 4.0
"""Of a duration, for the nodes to find one another."""


@dataclass(frozen=True)
class Outcome:
    """What one rate showed."""

    hz: float
    camera: bool
    status: int | None
    ticks: int
    missed: int
    inaction: float | None
    delay_ticks: float | None
    """The median."""
    promised_ticks: int | None
    workers: int
    commands: int
    """That the arm received."""
    step: float
    velocity: float
    acceleration: float
    """The largest of any joint [rad, rad/s, rad/s²]."""
    hold: float
    """How far the first command, which is held, is from what was measured [rad]."""
    beyond: int
    """Commands beyond a limit."""
    unattributed: int
    wrong: str
    """What the records of the bag disagree on, first; empty: nothing."""


def main() -> int:
    """Run the rates that are asked for; the status is 1 where a limit was exceeded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", nargs="+", type=float, default=_RATES_HZ, metavar="HZ")
    parser.add_argument("--seconds", type=float, default=120.0, metavar="S", help="each")
    parser.add_argument("--without-camera", action="store_true",
                        help="joints and target alone: nothing is rendered")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave bags and logs here")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    private_environment()
    outcomes = []
    for hz in args.rates:
        outcomes.append(run(hz, args.seconds, camera=not args.without_camera,
                            keep=args.keep))
        print(row(outcomes[-1]), file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(strict_json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return int(any(each.beyond or each.unattributed or each.status for each in outcomes))


def run(hz: float, seconds: float, *, camera: bool, keep: Path | None) -> Outcome:
    """Drive the arm at one rate; bag and log stay in the folder `keep`, if there is one."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-rate-") as text:
        folder = Path(text) if keep is None else keep / f"{hz:g}hz"
        folder.mkdir(parents=True, exist_ok=keep is None)
        config = folder / "arm.yaml"
        config.write_text(yaml.safe_dump(scenario(1 / hz, camera=camera)), encoding="utf-8")
        onnx.save(policy("moving", camera=camera), folder / "policy.onnx")
        words = ["arm", *(() if camera else ("--source-rate", "camera=0.1"))]
        with simulated(words, folder / "arm.jsonl"), Running(
                folder, [f"scenario.policy={folder / 'policy.onnx'}"],
                duration_s=seconds + _START_S, config=config) as running:
            status = running.wait(seconds + _START_S)
        records = read_run(running.bag).records
        limits = check_log.read_limits(config, ())
        log = check_log.check(folder / "arm.jsonl", 1 / hz, limits, 1e-6)["topics"][TOPIC]
    figures, problems = account(records), disagreements(records)
    joints = log["joints"].values()
    return Outcome(
        hz, camera, status, figures["plant"]["ticks"], figures["plant"]["missed_ticks"],
        figures["interaction"]["inaction_fraction"], figures["interaction"]["delay_ticks"]["p50"],
        figures["inference"]["promised_delay_ticks"], len(records.schedules[-1].active),
        log["commands"], *(max(joint[name] for joint in joints)
                           for name in ("step", "velocity", "acceleration")),
        log["hold"]["from_measured"], len(log["beyond"]), len(problems),
        " ".join(problems[:1]))


def scenario(period_s: float, *, camera: bool) -> dict[str, Any]:
    """Return `robot_faults.yaml` at another period, without what only its faults need."""
    found = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    part: Mapping[str, dict[str, Any]] = {
        name: node["ros__parameters"] for name, node in found.items()}
    part["scenario"].update(workers="auto", composed=True)
    robot = part["robot"]
    robot["period"] = period_s
    del robot["estop"], robot["deadman"]
    if not camera:
        robot["observations"].remove("front")
        del robot["observation"]["front"], robot["source"]["camera"]
    return found


def row(outcome: Outcome) -> str:
    """Return an outcome as two lines."""
    return (f"{outcome.hz:g} Hz{'' if outcome.camera else ', no camera'}, {outcome.workers} workers"
            f": {outcome.ticks} ticks, {outcome.missed} missed, inaction "
            f"{number(outcome.inaction, 4)}, delay {number(outcome.delay_ticks, 0)} (promised "
            f"{outcome.promised_ticks}), status {outcome.status}\n       "
            f"{outcome.commands} commands: step {outcome.step:.5f}, velocity "
            f"{outcome.velocity:.4f}, acceleration {outcome.acceleration:.3f}, first hold "
            f"within {outcome.hold:.1e}, {outcome.beyond} beyond, {outcome.unattributed} "
            f"unattributed{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")


if __name__ == "__main__":
    sys.exit(main())
