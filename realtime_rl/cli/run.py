"""`realtime-rl run`: starts a scenario, shows it live, records it, sums it up."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

from realtime_rl.bags import run_record
from realtime_rl.cli import report
from realtime_rl.cli.live_view import LiveView
from realtime_rl.cli.output import drop
from realtime_rl.core.errors import BagError, MissingDependencyError, RealtimeRlError
from realtime_rl.ros.environment import adopt
from realtime_rl.ros.transport import reach
from realtime_rl.runner.last_checks import check_last
from realtime_rl.runner.origin import origin_of
from realtime_rl.runner.prepare import Prepared, prepare
from realtime_rl.runner.supervisor import NodeFailedError, Supervisor, started

_EPILOG = """examples:
  realtime-rl run --config catch --duration 60
  realtime-rl run --config config/catch.yaml --duration 120 --record runs/first --html first.html
  realtime-rl run --config catch --set inference.latency=constant:95ms --set scenario.workers=7
  realtime-rl run --config rom --set plant.options=rom=/path/to/your.gb,rules=/path/to/rules.yaml
  realtime-rl run --config robot --robot arm.yaml --set scenario.policy=reach.onnx

exit status: 0 where every node lived to the end; 1 where one died, started again or not, or failed
in the end: the summary says which; 2 where the scenario could not be started, or not go on"""
_WATCH_S = 0.1


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "run", help="run a scenario live through ROS 2", description=__doc__, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, metavar="FILE",
                        help="ROS 2 parameter file, or the name of a bundled scenario")
    parser.add_argument("--robot", metavar="CONTRACT",
                        help="contract of the robot that stands in the plant's place")
    parser.add_argument("--duration", type=float, metavar="S",
                        help="end by itself after so many seconds, the start included "
                             "(default: run until Ctrl-C)")
    parser.add_argument("--record", metavar="DIR", help="record a bag into this new folder")
    parser.add_argument("--html", type=Path, metavar="FILE",
                        help="write the bag's report to this page")
    parser.add_argument("--json", metavar="FILE|-", help="write the bag's figures as JSON")
    parser.add_argument("--set", action="append", default=[], metavar="NODE.PARAMETER=VALUE",
                        help="override a parameter of the file; may be given again")
    parser.add_argument("--verbose", action="store_true", help="show everything the nodes say")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--no-live", action="store_true", help="print lines instead of a live view")
    shown.add_argument("--picture", action="store_true",
                       help="what the policy sees, small, in the live view")
    parser.set_defaults(main=main, outputs=("html", "json"))


def main(args: argparse.Namespace) -> int:
    """Run until the duration is over or somebody ends it; see the epilog for the status."""
    assignments = list(args.set)
    if args.robot:
        assignments.append(f"scenario.robot={args.robot}")
    if args.duration is not None:
        assignments.append(f"scenario.duration={args.duration}")
    if args.record:
        assignments.append(f"scenario.record={args.record}")
    prepared = prepare(args.config, assignments, summed_up=bool(args.html or args.json))
    _check_libraries(record=bool(prepared.scenario.record), html=bool(args.html))
    view = LiveView(prepared, verbose=args.verbose, live=not args.no_live, picture=args.picture)
    for line in (*prepared.remarks, *adopt()):
        view.say(line)
    for line in check_last(prepared):
        view.say(line)
    with tempfile.TemporaryDirectory(prefix="realtime_rl-") as folder:
        supervisor = Supervisor(prepared.processes(), Path(folder))
        failure = _run(prepared, supervisor, view)
    for line in supervisor.deaths.summary():
        view.say(line)
    status = 1 if supervisor.deaths else 0
    try:
        _sum_up(prepared, args, failed=failure is not None)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        drop(sys.stdout)  # nobody reads; that is no reason to say that all is well
    if failure is not None:
        raise failure
    return status


def _check_libraries(*, record: bool, html: bool) -> None:
    """`MissingDependencyError` where what is asked for would only fail once the robot moves."""
    for module in (*(("rosbags", "mcap") if record else ()), *(("matplotlib",) if html else ())):
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(module, "bags")


def _run(prepared: Prepared, supervisor: Supervisor, view: LiveView) -> NodeFailedError | None:
    """Run the graph to its end; return why it could not go on, if it could not."""
    duration_s = prepared.scenario.duration
    noted, failure = 0, None
    try:
        with view, started(supervisor):
            begin = time.monotonic()
            view.say(f"the graph can be seen and commanded from {reach(os.environ)}")
            while not duration_s or time.monotonic() - begin < duration_s:
                supervisor.watch()
                view.update(supervisor.lines, time.monotonic() - begin)
                if len(supervisor.deaths) > noted:  # whoever is killed cannot note it later
                    noted = len(supervisor.deaths)
                    _note(prepared, supervisor, view)
                time.sleep(_WATCH_S)
    except KeyboardInterrupt:
        view.say("interrupted: the run ends")
    except NodeFailedError as error:
        failure = error
    view.drain(supervisor.lines)
    _note(prepared, supervisor, view)
    return failure


def _note(prepared: Prepared, supervisor: Supervisor, view: LiveView) -> None:
    """Leave in the bag what only the runner knows."""
    if prepared.scenario.record:
        try:
            run_record.write(Path(prepared.scenario.record), supervisor.deaths, reach(os.environ),
                             prepared.plant.rate, view.noted, origin=origin_of(prepared.nodes))
        except OSError as error:
            view.say(f"{prepared.scenario.record}: the deaths of its nodes cannot be noted: "
                     f"{error.strerror}")


def _sum_up(prepared: Prepared, args: argparse.Namespace, *, failed: bool) -> None:
    print(f"policies: {prepared.run_dir}")
    if not prepared.scenario.record:
        return
    try:
        if not Path(prepared.scenario.record).exists():
            raise BagError(f"nothing was recorded in {prepared.scenario.record!r}: the run ended "
                           "before its recorder had begun")
        print(f"bag: {prepared.scenario.record}")
        report.main(argparse.Namespace(
            bag=[Path(prepared.scenario.record)], html=args.html, json=args.json,
            namespace=prepared.scenario.namespace or None, skip=0.0, follow=False, regret=None))
    except RealtimeRlError:
        if not failed:  # else the bag has a right to be of no use
            raise
