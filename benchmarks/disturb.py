"""What a live run makes of a dead process, a hung one, and of a model that changes its speed.

Each run settles, is disturbed once (or, for `latency`, twice), and goes on; the bag then says which
ticks went without an action, and when. The accelerator is emulated.

    python benchmarks/disturb.py kill --workers 20 --processes 4 --latency constant:200ms
    python benchmarks/disturb.py hang --workers 20 --processes 4 --latency constant:200ms
    python benchmarks/disturb.py latency --latency constant:100ms --factor 2
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.bench.live import Disturb, LiveBench, Measured, measure
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages.records import Timestep
from realtime_rl.policies.latency import Latency

_VICTIM_NUMBER = 1
_VICTIM = f"inference_{_VICTIM_NUMBER}"
_SETTLE_S = 15.0
_PERIOD_NS = 16_742_706
_HANG_S = 8.0
"""A hung process goes on after so long, to be taken in again."""
_RETURN_S = 3.0
"""So long after a process is dealt slots again, missing ticks count as due to its return."""


def main() -> int:
    """Run one disturbance and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kill", "hang", "latency"))
    parser.add_argument("--workers", default="", metavar="N", help="(default: 20; latency: auto)")
    parser.add_argument("--processes", type=int, default=0, help="(default: 4; latency: 1)")
    parser.add_argument("--latency", default="constant:200ms", metavar="SPEC")
    parser.add_argument("--factor", type=float, default=2.0,
                        help="latency: slower by so much for a third of the run")
    parser.add_argument("--duration", type=float, default=60.0, metavar="S")
    args = parser.parse_args()
    try:
        found = _latency(args) if args.what == "latency" else _process(args)
    except RealtimeRlError as error:
        print(f"disturb: {error}", file=sys.stderr)
        return 2
    print(strict_json.dumps(found, indent=1))
    return 0


def _process(args: argparse.Namespace) -> dict[str, Any]:
    """Kill or stop one of the processes a third into the run."""
    at_s = _SETTLE_S + args.duration / 3
    done: dict[str, tuple[int, int]] = {}  # what was done to which process, and when

    def disturb(elapsed_s: float, pids: dict[str, int]) -> None:
        if elapsed_s >= at_s and "stopped" not in done:
            number = signal.SIGKILL if args.what == "kill" else signal.SIGSTOP
            done["stopped"] = (pids[_VICTIM], time.time_ns())
            os.kill(pids[_VICTIM], number)
        if args.what == "hang" and elapsed_s >= at_s + _HANG_S and "continued" not in done:
            done["continued"] = (done["stopped"][0], time.time_ns())
            os.kill(done["stopped"][0], signal.SIGCONT)

    bench = LiveBench(
        workers=args.workers or "20", processes=args.processes or 4, latency=args.latency,
        duration_s=args.duration, settle_s=_SETTLE_S)
    measured = _measure(bench, disturb)
    records = measured.report.run.records
    at_ns = done["stopped"][1]
    gone_ns = done.get("continued", (0, at_ns + 500_000_000))[1]
    back_s, again_s = (
        None if not stamps else (min(stamps) - at_ns) / 1e9 for stamps in (
            [each.stamp_ns for each in records.inferences
             if each.node == _VICTIM and each.stamp_ns > gone_ns],
            [schedule.stamp_ns for schedule in records.schedules
             if schedule.stamp_ns > at_ns and _hosted(schedule.active, bench)]))
    missing = [(step.stamp_ns - at_ns) / 1e9 for step in _missing(records.timesteps)
               if step.stamp_ns > at_ns]
    return {"what": args.what, "before": _share(records.timesteps, 0, at_ns),
            "missing_s_after": [round(each, 3) for each in missing],
            "last_missing_before_its_return_s": max(
                (s for s in missing if back_s is None or s < back_s), default=0.0),
            "infers_again_after_s": back_s,
            "is_dealt_slots_again_after_s": again_s,
            "missing_since_its_return": [
                round(s, 3) for s in missing if back_s is not None and again_s is not None
                and back_s <= s < again_s + _RETURN_S],
            "stolen_percent": measured.used.stolen_percent,
            "missed_ticks_of_the_plant": sum(step.missed for step in records.timesteps)}


def _hosted(active: Sequence[int], bench: LiveBench) -> bool:
    """Whether workers of the victim are among those that take slots."""
    return any(worker % bench.processes == _VICTIM_NUMBER for worker in active)


def _latency(args: argparse.Namespace) -> dict[str, Any]:
    """Make every inference slower for the middle third of the run."""
    usual = Latency.parse(args.latency)
    third = round((_SETTLE_S + args.duration) / 3 * 1e9 / _PERIOD_NS)
    rng = np.random.default_rng(0)
    drawn = [usual.sample(rng) / 1e9 for _ in range(6 * third)]
    durations = [each * (args.factor if third <= index < 2 * third else 1.0)
                 for index, each in enumerate(drawn)]
    with tempfile.TemporaryDirectory(prefix="realtime_rl-disturb-") as name:
        trace = Path(name) / "trace.txt"
        trace.write_text("\n".join(f"{each:.9f}" for each in durations) + "\n", encoding="utf-8")
        measured = _measure(LiveBench(
            workers=args.workers or "auto", processes=args.processes or 1,
            latency=f"trace:{trace}", duration_s=args.duration, settle_s=_SETTLE_S))
    records = measured.report.run.records
    inferences = sorted((i for i in records.inferences if i.worker >= 0),
                        key=lambda i: i.stamp_ns)
    changes = [inferences[index].stamp_ns for index in (third, 2 * third)]
    seconds = []
    for begin_ns, end_ns in zip(changes, [changes[1], records.timesteps[-1].stamp_ns],
                                strict=True):
        missing = [(step.stamp_ns - begin_ns) / 1e9 for step in _missing(records.timesteps)
                   if begin_ns <= step.stamp_ns < end_ns]
        seconds.append({"missing": len(missing), "last_missing_s": max(missing, default=0.0),
                        "inaction_from_3_s_on": _share(
                            records.timesteps, begin_ns + 3_000_000_000, end_ns)})
    return {"what": "latency", "factor": args.factor,
            "before": _share(records.timesteps, changes[0] - 10_000_000_000, changes[0]),
            "stolen_percent": measured.used.stolen_percent,
            "slower": seconds[0], "faster": seconds[1],
            "schedules": [{"at_s": round((s.stamp_ns - changes[0]) / 1e9, 2),
                           "active": len(s.active), "required": s.required_workers,
                           "delay_ticks": s.promised_delay_ticks} for s in records.schedules],
            "missed_ticks_of_the_plant": sum(step.missed for step in records.timesteps)}


def _measure(bench: LiveBench, disturb: Disturb = lambda elapsed_s, pids: None) -> Measured:
    print(f"running for {bench.whole_s:.0f} s", file=sys.stderr)
    return measure(bench, lambda elapsed_s: None, lambda line: print(line, file=sys.stderr),
                   disturb)


def _missing(steps: Sequence[Timestep]) -> list[Timestep]:
    return [step for step in steps if step.missing]


def _share(steps: Sequence[Timestep], begin_ns: int, end_ns: int) -> float:
    """Inaction between two times, after the first `_SETTLE_S` of the run."""
    begin_ns = max(begin_ns, steps[0].stamp_ns + round((_SETTLE_S - 5.0) * 1e9))
    kept = [step for step in steps if begin_ns <= step.stamp_ns < end_ns]
    return len(_missing(kept)) / max(1, len(kept))


if __name__ == "__main__":
    sys.exit(main())
