"""`realtime-rl plan`: workers, delay and inaction of each algorithm, before anyone buys a GPU."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.bench import batch_plan_text, batch_planning, chunk_plan_text
from realtime_rl.bench.approaches import BASELINES, select
from realtime_rl.bench.chunk_planning import plan_chunks
from realtime_rl.bench.planning import Expectation, Plan, plan
from realtime_rl.bench.text import UNKNOWN, number, percent, table
from realtime_rl.cli.output import put
from realtime_rl.core.enumerations import Algorithm, Dealing, MergeRule
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.planner import Prediction
from realtime_rl.plants import registry
from realtime_rl.policies.latency import Latency
from realtime_rl.policies.latency_text import duration_ns, duration_text

_EPILOG = """examples:
  realtime-rl plan --latency constant:95ms
  realtime-rl plan --latency lognormal:215ms,cv=0.3 --period 16.74ms --workers 12
  realtime-rl plan --latency constant:215ms --period 16.74ms --chunk 50
  realtime-rl plan --latency constant:10ms,contention=1 --batch 2=11ms,4=13ms --period 5ms
  realtime-rl plan --latency constant:215ms --period 16.74ms --chunk 50 --chunk-merge prefix
  realtime-rl plan --latency trace:measured.txt --plant pyboy --plant-option rom=catch
  realtime-rl plan --latency constant:20ms,contention=0.15 --period 10ms --algorithm max_time
  realtime-rl plan --latency normal:40ms,std=4ms --period 10ms --json - | jq .rows[0]"""
_GAME_BOY = "16742.706us"
_SCHEMA = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "plan", help="workers, delay and inaction that an inference time will take",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Say how many workers each algorithm needs to act at every tick, with which "
                    "delay, and how many ticks will go without an action.")
    parser.add_argument("--latency", required=True, metavar="SPEC",
                        help="inference time: constant:95ms, normal:215ms,std=10ms, "
                             "lognormal:215ms,cv=0.3 or trace:FILE; with outliers=0.01x3, "
                             "contention=0.15")
    period = parser.add_mutually_exclusive_group()
    period.add_argument("--period", metavar="TIME",
                        help=f"of the plant's ticks (default: a Game Boy's, {_GAME_BOY})")
    period.add_argument("--plant", metavar="NAME", help="a plant, for its period")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; may be given again")
    parser.add_argument("--workers", type=int, metavar="N",
                        help="say also what so many workers would give")
    parser.add_argument("--processes", type=int, default=1, metavar="P",
                        help="inference processes that share the workers (default: 1)")
    parser.add_argument("--handover", default="2ms", metavar="TIME",
                        help="allowance for messages and scheduling (default: %(default)s)")
    parser.add_argument("--algorithm", choices=Algorithm.words(), help="this one only")
    parser.add_argument("--dealing", choices=Dealing.words(), help="this one only")
    parser.add_argument("--quantile", type=float, default=0.95, metavar="Q",
                        help="quantile_time: share of the durations that the delay covers "
                             "(default: %(default)s)")
    parser.add_argument("--target", type=float, default=0.005, metavar="SHARE",
                        help="share of the ticks that may lack a worker (default: %(default)s)")
    parser.add_argument("--chunk", type=int, metavar="H",
                        help="of a policy that gives so many actions at once, for the ticks after "
                             "its observation: what each further worker buys (max_time)")
    parser.add_argument("--batch", metavar="SIZE=TIME,…",
                        help="what a run takes that answers so many observations, as 2=11ms,4=14ms "
                             "(`realtime-rl policy --batches` measures it): compare such runs with "
                             "staggered ones (max_time)")
    parser.add_argument("--chunk-merge", choices=MergeRule.words(), default=MergeRule.NEWEST.word,
                        help="how chunks meet: with prefix they begin a whole delay apart "
                             "(default: %(default)s)")
    parser.add_argument("--json", metavar="FILE|-", help="write the plan as JSON")
    parser.set_defaults(main=main, outputs=("json",))


def main(args: argparse.Namespace) -> int:
    """Plan and print; errors are `RealtimeRlError`."""
    expected = _expectation(args)
    if args.chunk is None and args.chunk_merge != MergeRule.NEWEST.word:
        raise ConfigError(f"--chunk-merge {args.chunk_merge!r}: is about chunks; give --chunk H")
    if args.batch is not None:
        return _batches(args, expected)
    if args.chunk is not None:
        return _chunks(args, expected)
    approaches = select(args.algorithm, args.dealing)
    if not approaches:
        raise ConfigError(f"--dealing {args.dealing!r}: {args.algorithm!r} deals no slots; "
                          "leave it out")
    plans = [plan(expected, approach, args.workers) for approach in approaches]
    put(args, strict_json.dumps(_document(expected, plans), indent=2) + "\n",
        _text(expected, plans, args.workers))
    return 0


def _chunks(args: argparse.Namespace, expected: Expectation) -> int:
    if args.chunk < 1:
        raise ConfigError(f"--chunk: {args.chunk!r} must be 1 or more")
    if args.algorithm not in (None, Algorithm.MAX_TIME.word):
        raise ConfigError(f"--chunk: chunks act at the promised tick, as in 'max_time'; leave "
                          f"--algorithm {args.algorithm!r} out")
    found = plan_chunks(expected, args.chunk, args.workers,
                        prefix=args.chunk_merge == MergeRule.PREFIX.word)
    put(args, strict_json.dumps(chunk_plan_text.document(expected, found), indent=2) + "\n",
        "\n".join([*_heading(expected), chunk_plan_text.text(expected, found)]))
    return 0


def _batches(args: argparse.Namespace, expected: Expectation) -> int:
    for name, plain in (("chunk", None), ("workers", None), ("processes", 1), ("algorithm", None),
                        ("dealing", None)):
        if getattr(args, name) != plain:
            raise ConfigError(f"--{name}: runs of several observations are planned for 'max_time' "
                              "in one process, with the workers that they take: leave it or "
                              "--batch out")
    plans = batch_planning.plan_batches(expected, batch_planning.parse(args.batch))
    put(args, strict_json.dumps(batch_plan_text.document(expected, plans), indent=2) + "\n",
        "\n".join([*_heading(expected), batch_plan_text.text(expected, plans)]))
    return 0


def _expectation(args: argparse.Namespace) -> Expectation:
    for name in ("workers", "processes"):
        value = getattr(args, name)
        if value is not None and not 1 <= value <= 4096:
            raise ConfigError(f"--{name}: {value!r} is outside 1 … 4096")
    for name in ("quantile", "target"):
        if not 0.0 <= getattr(args, name) <= 1.0:
            raise ConfigError(f"--{name}: {getattr(args, name)!r} is outside 0 … 1")
    return Expectation(
        Latency.parse(args.latency), _period_ns(args),
        0 if args.handover.strip() == "0" else _duration_ns("handover", args.handover),
        args.quantile, args.processes, args.target)


def _period_ns(args: argparse.Namespace) -> int:
    if args.plant is None:
        if args.plant_option:
            raise ConfigError("--plant-option: needs --plant NAME")
        return _duration_ns("period", args.period or _GAME_BOY)
    plant = registry.make(args.plant, registry.parse_options(args.plant_option), 0)
    try:
        return plant.spec.period_ns
    finally:
        plant.close()


def _duration_ns(name: str, text: str) -> int:
    try:
        return duration_ns(text)
    except ValueError as error:
        raise ConfigError(f"--{name}: {error}") from error


def _text(expected: Expectation, plans: list[Plan], workers: int | None) -> str:
    lines = _heading(expected)
    given = [f"delay with {workers}", f"no action with {workers}"] if workers else []
    lines.append(table(
        ["algorithm", "workers", "delay [ticks]", "delay [ms]", "no action", *given],
        [_row(each, expected.period_ns) for each in plans]))
    advice = [textwrap.fill(line, 100) for line in _advice(expected, plans)]
    return "\n".join([*lines, "", *advice])


def _heading(expected: Expectation) -> list[str]:
    alone_ms = expected.alone_ns / 1e6
    p95, p99 = np.percentile(alone_ms, (95, 99))
    return [
        f"inference {expected.latency}: mean {alone_ms.mean():.1f} ms, 95 % within {p95:.1f} ms, "
        f"99 % within {p99:.1f} ms", f"a tick every {expected.period_ns / 1e6:g} ms, hand-over "
        f"{duration_text(expected.handover_ns)}", ""]


def _row(each: Plan, period_ns: int) -> list[str]:
    seen = each.prediction
    workers = (str(each.required_workers) if each.required_workers is not None
               else f"{UNKNOWN} ({seen.workers})")
    row = [str(each.approach), workers, number(seen.delay_ticks, 1),
           number(seen.delay_ticks * period_ns / 1e6, 0), percent(seen.inaction)]
    if each.given is not None:
        row += [number(each.given.delay_ticks, 1), percent(each.given.inaction)]
    return row


def _advice(expected: Expectation, plans: list[Plan]) -> list[str]:
    """Say in words what to buy."""
    lines = []
    if any(each.required_workers is None for each in plans):
        lines.append(f"{UNKNOWN}: no number of workers acts at every tick; the row is for the "
                     "number in brackets.")
    if not expected.bearable():
        most = 1e9 / float(expected.alone_ns.mean()) / (expected.latency.slowdown(2) - 1.0)
        return [*lines, f"No number of workers is enough: each slows the others, so that this "
                f"accelerator gives {most:.1f} actions a second at most and the plant takes "
                f"{1e9 / expected.period_ns:.1f}. Buy a second accelerator, or take a faster "
                "model."]
    able = [each for each in plans if each.required_workers is not None
            and each.approach not in BASELINES]
    if not able:
        return lines
    best = min(able, key=lambda each: (round(each.prediction.inaction, 2), each.required_workers,
                                       each.prediction.delay_ticks))
    return [*lines, _recommendation(best, expected)]


def _recommendation(best: Plan, expected: Expectation) -> str:
    seen = best.prediction
    if best.required_workers == 1:
        need = "one inference at a time is enough"
    else:
        need = (f"buy what runs {best.required_workers} inferences at the same time, each no "
                "slower than stated")
    return (f"For the fewest ticks without an action: {need} ({best.approach}). Every action then "
            f"answers an observation of {seen.delay_ticks:.1f} ticks "
            f"({seen.delay_ticks * expected.period_ns / 1e6:.0f} ms) before, in the mean; promised "
            f"are {seen.promised_delay_ticks} (as for `--delay`). {percent(seen.inaction)} of the "
            "ticks go without one.")


def _document(expected: Expectation, plans: list[Plan]) -> dict[str, Any]:
    return {"schema": _SCHEMA, "latency": str(expected.latency),
            "period_ms": expected.period_ns / 1e6, "handover_ms": expected.handover_ns / 1e6,
            "target": expected.target, "processes": expected.processes,
            "mean_duration_ms": float(expected.alone_ns.mean()) / 1e6,
            "rows": [{"algorithm": each.approach.algorithm.word,
                      "dealing": each.approach.dealing_name,
                      "required_workers": each.required_workers,
                      **_predicted(each.prediction, expected.period_ns),
                      "given": (None if each.given is None
                                else _predicted(each.given, expected.period_ns))}
                     for each in plans]}


def _predicted(seen: Prediction, period_ns: int) -> dict[str, float | int]:
    return {"workers": seen.workers, "inaction_fraction": seen.inaction,
            "promised_delay_ticks": seen.promised_delay_ticks, "delay_ticks": seen.delay_ticks,
            "delay_ms": seen.delay_ticks * period_ns / 1e6}
