"""What a live run makes of the faults that a robot meets, one at a time.

Each run is `realtime-rl run` of the bundled game with an emulated 95 ms model in two processes; a
fault comes once the policy acts, and the bag and the console say what became of it.

    python -m benchmarks.faults
    python -m benchmarks.faults --only kill-actuator clock-back --runs 1 --json -
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.running import (
    ROOT,
    Running,
    build_clock_shim,
    run_each,
    set_clock,
    telling,
)
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.reader import read_run
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause

WORDS = ("scenario.learner=false", "scenario.workers=8", "scenario.processes=2",
         "recorder.observations=false")
_SETTLE_S = 7.0
"""From the start of the nodes to the fault."""
_AFTER_S = 7.0
"""From the end of the fault to the end of the run, about."""
_STOPPED_S = 1.0
_FLOOD_S = 4.0
_SMALL_DISK = "192k"
_ACTS_AGAIN = 10
"""The policy acts again: at so many ticks in a row."""
_NOTABLE = r"\[WARN|\[ERROR|error:|died"
_RESTART = "the plant was started again"


@dataclass(frozen=True)
class Outcome:
    """One run with one fault."""

    fault: str
    ticks: int
    missed: int
    """Ticks that started more than a period late, from the fault on."""
    unattributed: int
    """Ticks and actions for which the records break the law of the bag."""
    inaction: int
    """Ticks of the default policy, or of nobody, from the fault on."""
    acts_again_s: float | None
    """From the end of the fault to the policy's actions at every tick; `None`: never."""
    status: int | None
    said: str
    wrong: str
    """What should have been otherwise; empty for nothing."""


@dataclass(frozen=True)
class Fault:
    """What is done to a run."""

    do: Callable[[Scene], None]
    said: str
    """A regular expression of what the run should say; empty where nothing has to be."""
    statuses: tuple[int, ...] = (0,)
    lasts_s: float = 0.0
    words: tuple[str, ...] = ()
    shim: bool = False
    small_disk: bool = False


class Scene:
    """A run, and where and when something is done to it."""

    def __init__(self, folder: Path, running: Running, environment: dict[str, str]) -> None:
        self.folder = folder
        self.running = running
        self.environment = environment
        self.begin_s = 0.0
        """Of the fault, on the monotonic clock [s]."""
        self.begin_ns = self.end_ns = 0
        """Of the fault [ns since the epoch]."""
        self.also_said: list[str] = []
        """By others than the run."""
        self.also_wrong: list[str] = []

    def send(self, node: str, number: signal.Signals) -> None:
        os.kill(self.running.pids()[node], number)


def kill(node: str) -> Callable[[Scene], None]:
    return lambda scene: scene.send(node, signal.SIGKILL)


def stop(node: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        scene.send(node, signal.SIGSTOP)
        time.sleep(_STOPPED_S)
        scene.send(node, signal.SIGCONT)
    return do


def flood(topic: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        _stranger(scene, "flood", topic, "--seconds", str(_FLOOD_S))
    return do


def two_graphs(scene: Scene) -> None:
    """The same graph once more, by somebody who does not know."""
    (folder := scene.folder / "second").mkdir()
    with Running(folder, WORDS, duration_s=4.0) as second:
        status = second.wait()
        said = telling([line for _, line in second.lines], _FAULTS["two-graphs"].said)
    scene.also_said.append(f"the second ends with status {status}: {said or 'without a word'}")
    if not status:
        scene.also_wrong.append("the second was not refused")


def hung_policy(scene: Scene) -> None:
    """Announce a policy whose first inference never returns."""
    policies = scene.folder / "policies"
    policies.mkdir(exist_ok=True)
    _stranger(scene, "announce-hung", str(policies / "policy-000099.onnx"))


def _stranger(scene: Scene, *words: str) -> None:
    """In a process of its own: this one must not be part of any graph."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.strangers", *words], cwd=ROOT,
                          check=True, capture_output=True, text=True)
    scene.also_said.append(done.stdout.strip())


def clock(by_s: float) -> Callable[[Scene], None]:
    return lambda scene: set_clock(scene.environment, by_s)


_FAULTS = {
    **{f"kill-{short}": Fault(kill(node), rf"{node}\b.*(died|killed)", (1,))
       for short, node in (("plant", "plant"), ("inference", "inference_1"),
                           ("actuator", "actuator"))},
    **{f"stop-{short}": Fault(stop(node), said, lasts_s=_STOPPED_S) for short, node, said in (
        ("plant", "plant", ""), ("inference", "inference_1", "inference_1 died or hangs"),
        ("actuator", "actuator", ""))},
    **{name: Fault(clock(by_s), "", shim=True) for name, by_s in (
        ("clock-back", -3.0), ("clock-hour-back", -3600.0), ("clock-hour-ahead", 3600.0))},
    "disk-full": Fault(lambda scene: None, "recorder.*No space", (1,),
                       words=("recorder.observations=true",), small_disk=True),
    **{f"flood-{topic}": Fault(flood(topic), rf"{topic}.*(publisher|stranger|flood|limit)",
                               statuses, lasts_s=_FLOOD_S + 2.0)
       # whose ticks a bag holds that two publish is not known
       for topic, statuses in (("action", (0,)), ("timestep", (1,)), ("observation", (0,)))},
    "two-graphs": Fault(two_graphs, r"another|second|publisher|twice|already", lasts_s=8.0),
    "hung-policy": Fault(
        hung_policy, r"policy.*(hang|hung|long|limit|return)", lasts_s=6.0,
        words=("inference.policy_root={folder}/policies", "inference.load_limit=3.0")),
}


def main() -> int:
    """Run the faults that are asked for."""
    return run_each(__doc__, _FAULTS, run, row)


def run(name: str, verbose: bool) -> Outcome:
    """Make one run with one fault."""
    fault = _FAULTS[name]
    with tempfile.TemporaryDirectory(prefix="realtime_rl-fault-") as text:
        folder = Path(text)
        environment = build_clock_shim(folder) if fault.shim else {}
        duration_s = _SETTLE_S + fault.lasts_s + _AFTER_S
        here = [word.format(folder=folder) for word in fault.words]
        with _disk(folder, fault) as words, Running(
                folder, [*WORDS, *here, *words], duration_s=duration_s,
                environment=environment) as running:
            scene = Scene(folder, running, environment)
            running.wait_for("plant", "actuator", "inference_0", "inference_1", timeout_s=30.0)
            time.sleep(_SETTLE_S)
            scene.begin_s, scene.begin_ns = time.monotonic(), time.time_ns()
            fault.do(scene)
            scene.end_ns = time.time_ns()
            status = running.wait()
            bag = Path(dict(word.split("=", 1) for word in words).get(
                "scenario.record", running.bag))
            try:
                records = read_run(bag).records
            except RealtimeRlError as error:
                records = RunRecords()
                scene.also_wrong.append(str(error))
        if verbose:
            print("\n".join([*scene.also_said, *(line for _, line in running.lines)]),
                  file=sys.stderr)
        return judge(name, records, scene, status)


def judge(name: str, records: RunRecords, scene: Scene, status: int | None) -> Outcome:
    """Say what became of a run."""
    fault, steps = _FAULTS[name], records.timesteps
    lines = [line for at_s, line in scene.running.lines if at_s >= scene.begin_s]
    after = [step for step in steps if step.stamp_ns >= scene.begin_ns]
    problems = [line for line in disagreements(records) if not line.startswith(_RESTART)]
    said = telling([*lines, *scene.also_said], fault.said)
    again_s = acts_again_s(after, scene.end_ns)
    wrong = [*scene.also_wrong, *(text for text, is_so in (
        (f"status {status}", status not in fault.statuses),
        ("nothing recorded", not steps),
        ("not said", bool(fault.said) and not said),
        (problems[0] if problems else "", bool(problems)),
        ("the policy does not act again", again_s is None)) if is_so)]
    return Outcome(
        name, len(steps), sum(step.missed for step in after),
        sum(int(match[0]) for line in problems if (match := re.match(r"\d+", line))),
        sum(step.missing for step in after), again_s, status,
        "; ".join(filter(None, [said or telling(lines, _NOTABLE), *scene.also_said])),
        "; ".join(wrong))


def acts_again_s(steps: Sequence[Timestep], end_ns: int) -> float | None:
    """From `end_ns` to the first of many ticks in a row that the policy acts at."""
    in_a_row, first_ns = 0, 0
    for step in steps:
        if step.stamp_ns < end_ns:
            continue
        if step.cause is not Cause.POLICY:
            in_a_row = 0
            continue
        first_ns = step.stamp_ns if not in_a_row else first_ns
        in_a_row += 1
        if in_a_row >= _ACTS_AGAIN:
            return (first_ns - end_ns) / 1e9
    return None


@contextmanager
def _disk(folder: Path, fault: Fault) -> Iterator[list[str]]:
    """Where the bag goes: for `small_disk` to a file system that is soon full. Needs root."""
    if not fault.small_disk:
        yield []
        return
    (place := folder / "disk").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "none", str(place)],
                   check=True)
    try:
        yield [f"scenario.record={place / 'bag'}"]
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def row(outcome: Outcome) -> str:
    again = "never" if outcome.acts_again_s is None else f"{outcome.acts_again_s:.2f} s"
    return (f"{outcome.fault:18} ticks {outcome.ticks:5} missed {outcome.missed:4} unattributed "
            f"{outcome.unattributed:4} inaction {outcome.inaction:4} acts again {again:>7} "
            f"status {outcome.status}  {outcome.said or '–'}"
            f"{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")


if __name__ == "__main__":
    sys.exit(main())
