"""`realtime-rl run`: starts a scenario, shows it live, records it, sums it up."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from realtime_rl.cli import report
from realtime_rl.cli.live_view import LiveView
from realtime_rl.core.errors import ConfigError
from realtime_rl.runner.prepare import Prepared, prepare
from realtime_rl.runner.supervisor import Supervisor

_EPILOG = """examples:
  realtime-rl run --config catch --duration 60
  realtime-rl run --config config/catch.yaml --duration 120 --record runs/first --html first.html
  realtime-rl run --config catch --set inference.latency=constant:95ms --set scenario.workers=7
  realtime-rl run --config catch --set plant.options=rom=/path/to/your.gb,rules=/path/to/rules.yaml
"""
_WATCH_S = 0.1


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "run", help="run a scenario live through ROS 2", description=__doc__, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, metavar="FILE",
                        help="ROS 2 parameter file, or the name of a bundled scenario")
    parser.add_argument("--duration", type=float, metavar="S",
                        help="end by itself after so many seconds (default: run until Ctrl-C)")
    parser.add_argument("--record", metavar="DIR", help="record a bag into this new folder")
    parser.add_argument("--html", type=Path, metavar="FILE",
                        help="write the bag's report to this page")
    parser.add_argument("--json", metavar="FILE|-", help="write the bag's figures as JSON")
    parser.add_argument("--set", action="append", default=[], metavar="NODE.PARAMETER=VALUE",
                        help="override a parameter of the file; may be given again")
    parser.add_argument("--verbose", action="store_true", help="show everything the nodes say")
    parser.add_argument("--no-live", action="store_true", help="print lines instead of a live view")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run until the duration is over or somebody presses Ctrl-C."""
    assignments = list(args.set)
    if args.duration is not None:
        assignments.append(f"scenario.duration={args.duration}")
    if args.record:
        assignments.append(f"scenario.record={args.record}")
    if (args.html or args.json) and not args.record:
        raise ConfigError("--html and --json: need a bag; give --record DIR as well")
    prepared = prepare(args.config, assignments)
    lost = _run(prepared, LiveView(prepared, verbose=args.verbose, live=not args.no_live))
    for name, line in lost.items():
        print(f"{name} ended before the run did: {line or 'without a word'}", file=sys.stderr)
    print(f"policies: {prepared.run_dir}")
    if prepared.scenario.record:
        print(f"bag: {prepared.scenario.record}")
        report.main(argparse.Namespace(
            bag=Path(prepared.scenario.record), html=args.html, json=args.json,
            namespace=prepared.scenario.namespace or None, skip=0.0))
    return 1 if lost else 0


def _run(prepared: Prepared, view: LiveView) -> dict[str, str]:
    """Run the graph; return the nodes that were lost on the way, with their last lines."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    duration_s = prepared.scenario.duration
    with tempfile.TemporaryDirectory(prefix="realtime_rl-") as folder:
        supervisor = Supervisor(prepared.nodes, Path(folder))
        try:
            with view:
                supervisor.start()
                begin = time.monotonic()
                while not duration_s or time.monotonic() - begin < duration_s:
                    supervisor.watch()
                    view.update(supervisor.lines, time.monotonic() - begin)
                    time.sleep(_WATCH_S)
                view.drain(supervisor.lines)
        except KeyboardInterrupt:
            print("stopping", file=sys.stderr)
        finally:
            # a second Ctrl-C must not cost the bag its end
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            lost = supervisor.lost
            supervisor.stop()
            signal.signal(signal.SIGINT, signal.default_int_handler)
    return lost
