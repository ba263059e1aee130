"""What a live run of a chunk policy makes of faults, one at a time: every tick from the bag.

Each run is `realtime-rl run` of the plant `counter`, which pays for a row that acts at its own tick
alone, with an emulated 90 ms model of 6 workers in two processes.

    python -m benchmarks.chunk_faults
    python -m benchmarks.chunk_faults --only rows-change --runs 1 --json -
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import chunk_policy
from benchmarks.faults import acts_again_s
from benchmarks.robot_scene import Scene
from benchmarks.running import ROOT, Running, run_each, telling
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.reader import read_run
from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.types import Cause

_ROWS = 20
_SETTLE_S = 7.0
"""From the start of the nodes to the fault."""
_AFTER_S = 5.0
_LONGEST_S = 60.0
_TOO_LATE_S = 1.0
"""Longer than a chunk reaches."""
_SCENARIO = {
    "scenario": {"workers": 6, "processes": 2, "learner": False},
    "plant": {"name": "counter",
              "options": ["observation=vector", "period_ms=20", "episode_ticks=0"]},
    "inference": {"latency": "constant:90ms"}}


@dataclass(frozen=True)
class Outcome:
    """One run with one fault; ticks and chunks are those from the fault on."""

    fault: str
    ticks: int
    missed: int
    inaction: int
    unattributed: int
    """Ticks and chunks for which the records break the law of the bag, over the whole run."""
    chunks: dict[str, int]
    """By their fate."""
    generations: int
    """Schedules, over the whole run."""
    off: int
    """Rows that acted at another tick than their own: the plant did not pay."""
    acts_again_s: float | None
    status: int | None
    said: str
    wrong: str


@dataclass(frozen=True)
class Fault:
    """What is done to a run."""

    do: Callable[[Scene, Path], None]
    said: str = ""
    """A regular expression of what the run should say; empty where nothing has to be."""
    statuses: tuple[int, ...] = (0,)
    generations: int = 1
    """So many schedules at least."""


def kill(scene: Scene, folder: Path) -> None:
    """One process dies with chunks in flight."""
    scene.send("inference_1", signal.SIGKILL)


def late(scene: Scene, folder: Path) -> None:
    """One process stands still, so that its chunks come when all their rows are over."""
    scene.send("inference_1", signal.SIGSTOP)
    time.sleep(_TOO_LATE_S)
    scene.send("inference_1", signal.SIGCONT)


def reschedule(scene: Scene, folder: Path) -> None:
    """A schedule of another kind begins, with chunks of the one before in flight."""
    if refused := scene.ask("set coordinator dealing fixed"):
        scene.refusals.append(refused)


def rows_change(scene: Scene, folder: Path) -> None:
    """A version is announced whose chunks are longer."""
    (folder / "policies").mkdir(exist_ok=True)
    other = chunk_policy.count(folder / "policies" / "longer.onnx", 2 * _ROWS)
    subprocess.run([sys.executable, "-m", "benchmarks.strangers", "announce", str(other)],
                   cwd=ROOT, check=True, capture_output=True)


_FAULTS = {
    "kill-inference": Fault(kill, r"inference_1\b.*(died|killed)", (1,), 2),
    "late-chunks": Fault(late, "inference_1 died or hangs", generations=2),
    "two-generations": Fault(reschedule, generations=2),
    "rows-change": Fault(rows_change, "cannot take the place"),
}


def main() -> int:
    """Run the faults that are asked for."""
    return run_each(__doc__, _FAULTS, run, row)


def run(name: str, verbose: bool) -> Outcome:
    """Make one run with one fault."""
    fault = _FAULTS[name]
    with tempfile.TemporaryDirectory(prefix="realtime_rl-chunks-") as text:
        folder = Path(text)
        config = folder / "counter.yaml"
        config.write_text(yaml.safe_dump(
            {node: {"ros__parameters": values} for node, values in _SCENARIO.items()}))
        policy = chunk_policy.count(folder / "count.onnx", _ROWS)
        with Running(folder, [f"scenario.policy={policy}"], duration_s=_LONGEST_S,
                     config=config) as running:
            running.wait_for("plant", "actuator", "inference_0", "inference_1", timeout_s=30.0)
            scene = Scene(running, {})
            time.sleep(_SETTLE_S)
            scene.begin_ns = time.time_ns()
            fault.do(scene, folder)
            scene.end_ns = time.time_ns()
            time.sleep(_AFTER_S)
            running.process.send_signal(signal.SIGINT)
            status = running.wait()
            scene.close()
        if verbose:
            print("\n".join(line for _, line in running.lines), file=sys.stderr)
        return judge(name, read_run(running.bag).records, scene, status)


def judge(name: str, records: RunRecords, scene: Scene, status: int | None) -> Outcome:
    """Say what became of a run."""
    fault = _FAULTS[name]
    after = [step for step in records.timesteps if step.stamp_ns >= scene.begin_ns]
    fates = [each.fate for each in records.verdicts
             if after and each.tick >= after[0].tick and each.observation_tick >= 0]
    problems = disagreements(records)
    said = telling([line for _, line in scene.running.lines], fault.said)
    again_s = acts_again_s(after, scene.end_ns)
    generations = len({each.generation for each in records.schedules})
    wrong = [*scene.refusals, *(text for text, is_so in (
        (f"status {status}", status not in fault.statuses),
        ("not said", bool(fault.said) and not said),
        (f"{generations} schedules", generations < fault.generations),
        (" ".join(problems[:1]), bool(problems)),
        ("the policy does not act again", again_s is None)) if is_so)]
    return Outcome(
        name, len(after), sum(step.missed for step in after), sum(step.missing for step in after),
        len(problems), {fate.name.lower(): fates.count(fate) for fate in Fate if fate in fates},
        generations, sum(step.cause is Cause.POLICY and not step.reward for step in after),
        again_s, status, said, "; ".join(wrong))


def row(outcome: Outcome) -> str:
    """Return an outcome as a line."""
    again = "never" if outcome.acts_again_s is None else f"{outcome.acts_again_s:.2f} s"
    chunks = ", ".join(f"{count} {fate}" for fate, count in outcome.chunks.items())
    return (f"{outcome.fault:16} ticks {outcome.ticks:4} missed {outcome.missed:3} inaction "
            f"{outcome.inaction:3} unattributed {outcome.unattributed} off {outcome.off:3} acts "
            f"again {again}, {outcome.generations} schedules, chunks: {chunks}; status "
            f"{outcome.status}  {outcome.said or '–'}"
            f"{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")


if __name__ == "__main__":
    sys.exit(main())
