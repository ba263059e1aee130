"""`realtime-rl bench`: measures the stagger engine, live or in virtual time."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from realtime_rl.bench.approaches import COMPARED
from realtime_rl.bench.compare import Comparison, compare
from realtime_rl.bench.live import COUNTER, LiveBench, measure
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.bench.progress import Stages
from realtime_rl.bench.scaling import MAX_TIME, Scaling, fit, in_virtual_time, live
from realtime_rl.cli import bench_options as options
from realtime_rl.cli.output import put
from realtime_rl.core.errors import ConfigError, MissingDependencyError
from realtime_rl.plants import registry
from realtime_rl.policies.latency import Latency, NoLatency


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its own verbs to the command line."""
    parser = subparsers.add_parser(
        "bench", help="measure the stagger engine", description=__doc__,
        epilog="examples:\n" + "\n".join(
            text.splitlines()[1] for text in (options.STAGGER, options.COMPARE, options.SCALING)),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="bench", metavar="BENCH", required=True)
    for name, what, epilog, more, run in (
            ("stagger", "one live run: inaction, delay, jitter, CPU, memory",
             options.STAGGER, options.add_stagger, _stagger),
            ("compare", "every algorithm and baseline on the same latencies, one of which is far "
             "too long", options.COMPARE, options.add_compare, _compare),
            ("scaling", "required workers, by search, against inference time",
             options.SCALING, options.add_scaling, _scaling)):
        verb = options.add(verbs, name, what, epilog)
        verb.set_defaults(main=main, run=run)
        more(verb)


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
            raise MissingDependencyError(error.name or "matplotlib", "bags", error) from error
        check_name(args.plot)
    run: int = args.run(args)
    return run


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
