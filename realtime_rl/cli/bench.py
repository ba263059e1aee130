"""`realtime-rl bench`: measures the stagger engine, live or in virtual time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from realtime_rl.bench.approaches import COMPARED
from realtime_rl.bench.compare import Comparison, compare
from realtime_rl.bench.live import COUNTER, MOST_RUNS, LiveBench, measure
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.bench.progress import Stages
from realtime_rl.bench.scaling import LATENCIES, MAX_TIME, Scaling, fit, in_virtual_time, live
from realtime_rl.cli.output import put
from realtime_rl.core.enumerations import Algorithm, Dealing, SlotSource
from realtime_rl.core.errors import ConfigError, MissingDependencyError
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.policies.latency import Latency, NoLatency

_STAGGER = """examples:
  realtime-rl bench stagger --duration 60
  realtime-rl bench stagger --workers 72 --latency constant:1150ms --duration 60 --json -
  realtime-rl bench stagger --workers auto --latency lognormal:215ms,cv=0.3 --record runs/auto
  realtime-rl bench stagger --workers 20 --processes 4 --latency constant:200ms --learner
  realtime-rl bench stagger --latency none --workers 2 --plant pyboy --plant-option rom=catch \\
      --network impala:7 --set inference.threads=1"""
_COMPARE = """examples:
  realtime-rl bench compare --latency lognormal:215ms,cv=0.05 --plot compare.svg
  realtime-rl bench compare --virtual --json - | jq '.rows[] | {name, inaction_fraction}'
  realtime-rl bench compare --workers 7 --latency constant:95ms --outlier 0"""
_SCALING = """examples:
  realtime-rl bench scaling --plot scaling.svg
  realtime-rl bench scaling --latencies 1,10,100,596 --cv 0 --json -
  realtime-rl bench scaling --live 8,36,72 --duration 20"""
_COUNTER = " ".join(COUNTER)
_RUNS_FOR = """
CPU is the inference processes' CPU time over wall time after warm-up, in percent of one core;
memory is their resident memory together at its largest, what they share counted for each."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its own verbs to the command line."""
    parser = subparsers.add_parser(
        "bench", help="measure the stagger engine", description=__doc__,
        epilog="examples:\n" + "\n".join(
            text.splitlines()[1] for text in (_STAGGER, _COMPARE, _SCALING)),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="bench", metavar="BENCH", required=True)
    _add_stagger(_add(verbs, "stagger", "one live run: inaction, delay, jitter, CPU, memory",
                      _STAGGER, _stagger))
    _add_compare(_add(verbs, "compare", "every algorithm and baseline on the same latencies, one "
                      "of which is far too long", _COMPARE, _compare))
    _add_scaling(_add(verbs, "scaling", "required workers, by search, against inference time",
                      _SCALING, _scaling))


def main(args: argparse.Namespace) -> int:
    """Run the benchmark that was asked for; errors are `RealtimeRlError`."""
    if not 1.0 <= args.duration <= 86_400.0:
        raise ConfigError(f"--duration: {args.duration!r} is outside 1 … 86400 s")
    if not 0.0 <= args.settle <= 86_400.0:
        raise ConfigError(f"--settle: {args.settle!r} is outside 0 … 86400 s")
    if getattr(args, "plot", None) is not None:
        try:
            from realtime_rl.bench.drawing import check_name
        except ImportError as error:
            raise MissingDependencyError(error.name or "matplotlib", "bags") from error
        check_name(args.plot)
    run: int = args.run(args)
    return run


def _add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str,
         epilog: str, run: object) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".",
                              epilog=epilog + (_RUNS_FOR if name == "stagger" else ""),
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=20.0 if name != "stagger" else 30.0,
                        metavar="S", help="of each run, without its start (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    if name != "stagger":
        parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them: .svg or .png")
    group = parser.add_argument_group("the live graph")
    group.add_argument("--settle", type=float, default=10.0, metavar="S",
                       help="run first for so long, in which the schedule is found, and which "
                            "does not count (default: %(default)s)")
    group.add_argument("--plant", default="counter", metavar="NAME",
                       help="(default: %(default)s)")
    group.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                       help=f"of the plant; may be given again. The counter has {_COUNTER} here, "
                            "a small picture at a Game Boy's rate, unless they are given")
    group.add_argument("--network", default="mlp", metavar="NAME",
                       help="the policy's: mlp, small, keypoints, nature:K, impala:K or "
                            "impala_deep:K (default: %(default)s, untrained)")
    group.add_argument("--learner", action="store_true", help="learn meanwhile")
    group.add_argument("--max-stolen", type=float, metavar="PERCENT",
                       help="on a virtual machine: run again, at most "
                            f"{MOST_RUNS} times, when its host took more of the CPU time than "
                            "this (0.5 shows in the jitter); the calmest run counts")
    group.add_argument("--set", action="append", default=[], metavar="NODE.PARAMETER=VALUE",
                       help="override any parameter; may be given again")
    parser.set_defaults(main=main, run=run, outputs=("json", *(["plot"] * (name != "stagger"))))
    return parser


def _add_stagger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", metavar="N|auto",
                        help="(default: as many as are planned for the latency)")
    parser.add_argument("--processes", type=int, default=1, metavar="P",
                        help="that share the workers (default: %(default)s)")
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC",
                        help="emulated accelerator, or none (default: %(default)s)")
    parser.add_argument("--algorithm", choices=Algorithm.words(), default="max_time")
    parser.add_argument("--dealing", choices=Dealing.words(), default="pooled")
    parser.add_argument("--slot-source", choices=SlotSource.words(), default="tick")
    parser.add_argument("--record", type=user_path, metavar="DIR",
                        help="keep the bag in this folder")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC",
                        help="emulated accelerator (default: %(default)s)")
    parser.add_argument("--outlier", type=float, default=3.0, metavar="FACTOR",
                        help="one inference in the middle takes so many times as long; 0: none "
                             "does (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N",
                        help="for every algorithm (default: as many as are planned for each)")
    parser.add_argument("--virtual", action="store_true",
                        help="in virtual time, by the real core without ROS: seconds, not minutes")


def _add_scaling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--latencies", default=",".join(map(str, LATENCIES)), metavar="TICKS,…",
                        help="inference times in virtual time (default: %(default)s)")
    parser.add_argument("--cv", type=float, default=0.05, metavar="CV",
                        help="coefficient of variation of the inference times (default: "
                             "%(default)s)")
    parser.add_argument("--target", type=float, default=0.01, metavar="SHARE",
                        help="inaction that is allowed (default: %(default)s)")
    parser.add_argument("--live", metavar="N,…",
                        help="search live as well, where so many workers are planned")


def _stagger(args: argparse.Namespace) -> int:
    from realtime_rl.bench.documents import stagger_document, stagger_text, to_json

    latency = Latency.parse(args.latency)
    bench = _live(args, latency=str(latency), workers=_workers(args, latency),
                  processes=args.processes, algorithm=args.algorithm, dealing=args.dealing,
                  slot_source=args.slot_source, record=args.record)
    stages = Stages(1)
    stages.stage(f"{bench.workers} workers, {latency}, {args.duration:g} s, live",
                 bench.whole_s)
    with stages.shown():
        measured = measure(bench, stages.update, stages.say)
    if args.json == "-":
        for warning in measured.report.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    status = _put(args, to_json(stagger_document(bench, measured)), stagger_text(measured))
    return 1 if measured.deaths else status


def _compare(args: argparse.Namespace) -> int:
    from realtime_rl.bench.documents import compare_document, compare_text, to_json

    if args.workers is not None and not 1 <= args.workers <= 4096:
        raise ConfigError(f"--workers: {args.workers!r} is outside 1 … 4096")
    latency = Latency.parse(args.latency)
    comparison = Comparison(
        Expectation(latency, _period_ns(args)), args.outlier, args.duration, args.settle,
        args.workers,
        None if args.virtual else _live(args, latency=str(latency)))
    stages = Stages(len(COMPARED))
    with stages.shown():
        rows = list(compare(comparison, stages))
    if args.plot is not None:
        from realtime_rl.bench.drawing import draw_comparison

        outlier = f", one {args.outlier:g}× outlier" if args.outlier else ""
        draw_comparison(rows, f"{latency}{outlier}, {args.duration:g} s each, "
                        f"{'virtual time' if args.virtual else 'live'}", args.plot)
    status = _put(args, to_json(compare_document(comparison, rows)), compare_text(rows))
    return 1 if any(row.figures["recording"]["deaths"] for row in rows) else status


def _scaling(args: argparse.Namespace) -> int:
    from realtime_rl.bench.documents import scaling_document, scaling_text, to_json

    if not 0.0 <= args.cv <= 1.0:
        raise ConfigError(f"--cv: {args.cv!r} is outside 0 … 1")
    if not 0.0 < args.target < 1.0:
        raise ConfigError(f"--target: {args.target!r} must be above 0 and below 1")
    latencies = _numbers("latencies", args.latencies, 4096)
    counts = _numbers("live", args.live, 4096) if args.live else []
    expected = Expectation(Latency.parse("constant:1ms"), _period_ns(args))
    scaling = Scaling(expected.period_ns, expected.handover_ns, args.cv, args.target)
    bench = _live(args)
    stages = Stages()
    with stages.shown():
        points = list(in_virtual_time(scaling, latencies, stages))
        lived = list(live(scaling, counts, bench, stages))
    lines = (fit(points), fit(lived))
    points += lived
    if args.plot is not None:
        from realtime_rl.bench.drawing import draw_scaling

        draw_scaling(points, lines[0], args.plot)
    return _put(args, to_json(scaling_document(scaling, points, *lines)),
                scaling_text(points, *lines))


def _live(args: argparse.Namespace, **details: Any) -> LiveBench:  # noqa: ANN401 - its fields
    options = tuple(args.plant_option)
    if args.plant == "counter":
        given = {option.partition("=")[0] for option in options}
        options = (*(o for o in COUNTER if o.partition("=")[0] not in given), *options)
    return LiveBench(**{"workers": "1", "latency": "none", "duration_s": args.duration,
                        "settle_s": args.settle,
                        "plant": args.plant, "plant_options": options, "network": args.network,
                        "learner": args.learner, "max_stolen_percent": args.max_stolen,
                        "assignments": tuple(args.set), **details})


def _workers(args: argparse.Namespace, latency: Latency) -> str:
    if args.workers is not None:
        return str(args.workers)
    if isinstance(latency, NoLatency):
        return "4"
    expected = Expectation(latency, _period_ns(args))
    required = plan(expected, MAX_TIME).required_workers
    if required is None:
        raise ConfigError(f"--workers: absent, and no number of workers is enough for {latency}; "
                          "give one")
    return str(max(required, args.processes))


def _period_ns(args: argparse.Namespace) -> int:
    options = _live(args).plant_options
    plant = registry.make(args.plant, registry.parse_options(list(options)), 0)
    try:
        return plant.spec.period_ns
    finally:
        plant.close()


def _numbers(name: str, text: str, most: int) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() and 1 <= int(word) <= most for word in words):
        raise ConfigError(f"--{name}: {text!r} must be numbers from 1 to {most}, as 8,36,72")
    return [int(word) for word in words]


def _put(args: argparse.Namespace, json_text: str, text: str) -> int:
    put(args, json_text, text.rstrip("\n"))
    return 0
