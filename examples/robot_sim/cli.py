"""The command line of the simulator."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.robot_sim.errors import SimulatorError

_EPILOG = """examples:
  python -m examples.robot_sim arm --log runs/arm.jsonl
  python -m examples.robot_sim arm --model examples/robot_sim/arm.xml --fault silent=joints@10:2
  python -m examples.robot_sim base --twist --namespace robot2 --fault estop@5
faults, KIND[=SOURCE][@BEGIN][:DURATION] in seconds, here or, without BEGIN, on robot_sim/fault:
"""


def parser() -> argparse.ArgumentParser:
    from examples.robot_sim.faults import OF_ROBOT, OF_SOURCES

    known = [f"  {f'{kind}=SOURCE' if kind in OF_SOURCES else kind:14} {what}"
             for kind, what in {**OF_SOURCES, **OF_ROBOT}.items()]
    found = argparse.ArgumentParser(
        prog="python -m examples.robot_sim", epilog=_EPILOG + "\n".join(known),
        description="A simulated robot in a process of its own, as ros2_control drives one.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = found.add_subparsers(dest="robot", required=True, metavar="arm|base")
    for name, add in (("arm", _add_arm), ("base", _add_base)):
        kind = kinds.add_parser(name, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        add(kind)
        _add_common(kind)
    return found


def _add_arm(arm: argparse.ArgumentParser) -> None:
    arm.add_argument("--model", default="so101", metavar="so101|MJCF", help="one motor a joint")
    arm.add_argument("--tip", default="", metavar="SITE", help="what is to reach the target")
    arm.add_argument("--gripper", default="", metavar="JOINT|none",
                     help="the joint on gripper/commands; default: the one called grip...")
    arm.add_argument("--controller", default="forward_position",
                     choices=("forward_position", "joint_trajectory"),
                     help="what has claimed the joints")
    arm.add_argument("--moving", nargs="+", default=[], metavar="JOINT",
                     help="joints that are needed to reach a target; default: all of the arm's")
    arm.add_argument("--reach", type=float, default=0.4, metavar="SHARE",
                     help="how far from home targets are, of the joints' ranges")
    arm.add_argument("--camera", nargs=2, type=int, default=(160, 120),
                     metavar=("WIDTH", "HEIGHT"), help="size of its pictures")
    arm.add_argument("--tolerance", type=float, default=0.03, metavar="M",
                     help="how near a target counts as reached")
    arm.add_argument("--renew-home", action="store_true",
                     help="a new target whenever the arm is told to be where it starts again")


def _add_base(base: argparse.ArgumentParser) -> None:
    base.add_argument("--twist", action="store_true", help="takes Twist, not TwistStamped")
    base.add_argument("--timeout", type=float, default=0.5, metavar="S",
                      help="brakes after so long a silence, and ignores what is older")
    base.add_argument("--tolerance", type=float, default=0.3, metavar="M",
                      help="how near a target counts as reached")
    base.add_argument("--patience", type=float, default=0.0, metavar="S",
                      help="a new target where one was not reached for so long; 0: it stays")


def _add_common(kind: argparse.ArgumentParser) -> None:
    kind.add_argument("--namespace", default="", help="of its node and topics")
    kind.add_argument("--reliable", action="store_true", help="sensors are, not best effort")
    kind.add_argument("--rate", type=float, default=500.0, metavar="HZ", help="of its control loop")
    kind.add_argument("--source-rate", action="append", default=[], metavar="SOURCE=HZ",
                      help="of a sensor; may be given again")
    kind.add_argument("--noise", type=float, default=1.0, metavar="FACTOR", help="of its sensors")
    kind.add_argument("--renew", type=float, default=0.0, metavar="S",
                      help="a new target so long after one was reached; 0: when asked only")
    kind.add_argument("--no-joy", action="store_true", help="no gamepad with a dead man's button")
    kind.add_argument("--fault", action="append", default=[], metavar="FAULT",
                      help="see above; may be given again")
    kind.add_argument("--log", type=Path, metavar="FILE", help="its own log, JSON lines")
    kind.add_argument("--seed", type=int, default=0, help="of noise, targets and losses")


def _rates(words: Sequence[str]) -> dict[str, float]:
    rates = {}
    for word in words:
        name, _, rate = word.partition("=")
        try:
            rates[name] = float(rate)
        except ValueError as error:
            raise SimulatorError(f"--source-rate {word!r}: write it like joints=100") from error
        if not rates[name] > 0:
            raise SimulatorError(f"--source-rate {word!r}: it must be above 0")
    return rates


def _robot(args: argparse.Namespace) -> Any:  # noqa: ANN401 - a Robot
    """Make the robot: this loads MuJoCo, which `--help` does not need."""
    if args.robot == "arm":
        from examples.robot_sim.arm_robot import ArmOptions, ArmRobot

        return ArmRobot(ArmOptions(
            args.model, args.tip, args.gripper, args.controller, tuple(args.moving), args.reach,
            args.tolerance, args.renew, args.renew_home, args.noise, tuple(args.camera),
            args.seed, _rates(args.source_rate)))
    from examples.robot_sim.base_robot import BaseOptions, BaseRobot

    return BaseRobot(BaseOptions(
        stamped=not args.twist, timeout_s=args.timeout, tolerance_m=args.tolerance,
        renew_s=args.renew, patience_s=args.patience, noise=args.noise, seed=args.seed,
        rates=_rates(args.source_rate)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal; a line and status 2 for what cannot be used."""
    args = parser().parse_args(arguments)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    try:
        return _run(args)
    except SimulatorError as error:
        print(f"robot_sim: {error}", file=sys.stderr)
    except ImportError as error:
        print(f"robot_sim: {error.name or error} is not installed; fix: pip install "
              "'.[ros,mujoco]' in the clone", file=sys.stderr)
    return 2


def _run(args: argparse.Namespace) -> int:
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from examples.robot_sim.process import Process, ProcessOptions

    robot = _robot(args)
    context = rclpy.Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        process = Process(robot, ProcessOptions(
            args.namespace, args.reliable, args.rate, args.log, tuple(args.fault),
            not args.no_joy, args.seed), context)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: process.stop())
        print(f"robot_sim: {args.robot} with joints {', '.join(robot.joints)}; sources "
              f"{', '.join(process.source_names)}; commands on "
              f"{', '.join(command.topic for command in robot.commands)}", flush=True)
        process.run()
    finally:
        rclpy.try_shutdown(context=context)
    return 0
