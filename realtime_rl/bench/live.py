"""One live run: the whole graph through ROS 2, recorded, measured and accounted for."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from realtime_rl.bench.usage import Usage, Used
from realtime_rl.core.errors import BagError, ConfigError, PolicyError
from realtime_rl.plants import registry
from realtime_rl.ros.transport import reach
from realtime_rl.runner.first_policy import FirstPolicy, write_in_child
from realtime_rl.runner.last_checks import check_last
from realtime_rl.runner.log_filter import LogFilter
from realtime_rl.runner.origin import origin_of
from realtime_rl.runner.prepare import Prepared, prepare
from realtime_rl.runner.supervisor import Supervisor, started

if TYPE_CHECKING:
    from realtime_rl.bags.report import Report

START_S = 3.0
"""A run takes so much longer than asked for, as the nodes have to start."""
MOST_RUNS = 10
_WATCH_S = 0.1
COUNTER = ("observation=image", "period_ms=16.742706")
"""Options of the plant `counter` that make it as slow as a Game Boy."""


@dataclass(frozen=True, slots=True)
class LiveBench:
    """What to run. Values are checked where a parameter file's are: by `prepare`."""

    workers: str
    """A number, or `auto`."""
    latency: str
    duration_s: float
    settle_s: float = 10.0
    """Runs first for so long, in which the schedule is found, and which does not count."""
    processes: int = 1
    algorithm: str = "max_time"
    dealing: str = "pooled"
    slot_source: str = "tick"
    plant: str = "counter"
    plant_options: tuple[str, ...] = COUNTER
    network: str = "mlp"
    learner: bool = False
    record: Path | None = None
    """Where to leave the bag; else it is gone in the end."""
    max_stolen_percent: float | None = None
    """Run again when the machine's host took more of it than this; the calmest run counts."""
    assignments: tuple[str, ...] = ()
    """`node.parameter=value` words that go before everything else."""

    def __post_init__(self) -> None:
        """Refuse to run again over a bag that is kept."""
        if self.max_stolen_percent is None:
            return
        if not 0.0 <= self.max_stolen_percent <= 100.0:
            raise ConfigError(f"--max-stolen: {self.max_stolen_percent!r} is outside 0 … 100 %")
        if self.record is not None:
            raise ConfigError("--max-stolen: a run that is made again has no bag to keep; leave "
                              "--record out")

    @property
    def whole_s(self) -> float:
        """How long it takes, with its start."""
        return START_S + self.settle_s + self.duration_s

    def words(self, folder: Path) -> list[str]:
        """Return all of it as `node.parameter=value` words; policies and the bag go to `folder`."""
        return [
            f"scenario.workers={self.workers}", f"scenario.processes={self.processes}",
            f"scenario.learner={str(self.learner).lower()}",
            f"scenario.record={self.record or folder / 'bag'}",
            f"scenario.run_dir={folder / 'policies'}", f"plant.name={self.plant}",
            f"inference.latency={self.latency}", f"coordinator.algorithm={self.algorithm}",
            f"coordinator.dealing={self.dealing}", f"coordinator.slot_source={self.slot_source}",
            # as for any plant that latches its command: see config/catch.yaml
            "actuator.deadline_margin=0.012", f"learner.network={self.network}",
            "recorder.observations=false", *self.assignments]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a run."""

    report: Report
    used: Used
    """Of the machine, by the inference processes together."""
    runs: int = 1
    """How many were made, of which this was the calmest."""

    @property
    def deaths(self) -> int:
        """How often a node died, or failed at the end."""
        return self.report.figures["recording"]["deaths"] or 0

    @property
    def stolen_percent(self) -> float:
        """What the machine's host took; 0 where that is not known."""
        return self.used.stolen_percent or 0.0


Disturb = Callable[[float, dict[str, int]], None]
"""Told the seconds since the start and the processes' ids by node name, a few times a second."""


def measure(bench: LiveBench, watch: Callable[[float], None], say: Callable[[str], None],
            disturb: Disturb = lambda elapsed_s, pids: None) -> Measured:
    """Run a graph for its time and account for it; again, at most `MOST_RUNS` times, if not calm.

    Args:
        bench: what to run.
        watch: told the seconds since the start, a few times a second.
        say: told what a node complains of.
        disturb: may kill or stop a process meanwhile.

    Raises:
        RealtimeRlError: a value that is not allowed, a node that cannot run, nothing recorded.
    """
    limit = 100.0 if bench.max_stolen_percent is None else bench.max_stolen_percent
    calmest, runs = _measure(bench, watch, say, disturb), 1
    while calmest.stolen_percent > limit and runs < MOST_RUNS:
        say(f"the host took {calmest.stolen_percent:.2f} % of the machine: run {runs + 1} of at "
            f"most {MOST_RUNS}")
        calmest = min(calmest, _measure(bench, watch, say, disturb),
                      key=lambda measured: measured.stolen_percent)
        runs += 1
    return replace(calmest, runs=runs)


def _measure(bench: LiveBench, watch: Callable[[float], None], say: Callable[[str], None],
             disturb: Disturb) -> Measured:
    from realtime_rl.bags import run_record
    from realtime_rl.bags.report import make_report

    with tempfile.TemporaryDirectory(prefix="realtime_rl-bench-") as name:
        folder = Path(name)
        prepared = _prepared(bench, folder)
        for line in check_last(prepared):
            say(line)
        supervisor = Supervisor(prepared.processes(), folder)
        log_filter = LogFilter(supervisor.lines, say)

        def look(elapsed_s: float) -> None:
            log_filter.drain()
            disturb(elapsed_s, supervisor.pids())
            watch(elapsed_s)

        usage = _run(prepared, supervisor, bench, look)
        log_filter.drain()
        bag = Path(prepared.scenario.record)
        run_record.write(bag, supervisor.deaths, reach(os.environ),
                         origin=origin_of(prepared.nodes))
        if not bag.exists():
            raise BagError("nothing was recorded: the graph did not come up; --set "
                           "scenario.record must not be empty")
        report = make_report(bag, prepared.scenario.namespace or None, skip_s=bench.settle_s)
    return Measured(report, usage.used)


def _prepared(bench: LiveBench, folder: Path) -> Prepared:
    config = folder / "bench.yaml"
    # an option may hold a comma, which a word cannot
    config.write_text(yaml.safe_dump(
        {"plant": {"ros__parameters": {"options": list(bench.plant_options)}}}), encoding="utf-8")
    words = bench.words(folder)
    if not bench.learner and not any(word.startswith("scenario.policy=") for word in words):
        # check every value before torch is started: any ONNX file does for a policy
        empty = folder / "empty.onnx"
        empty.write_bytes(b"\x08\x08")  # ir_version 8, and nothing else
        prepare(str(config), [*words, f"scenario.policy={empty}"])
        words.append(f"scenario.policy={_export(bench, folder / 'bench.onnx')}")
    return prepare(str(config), words)


def _export(bench: LiveBench, path: Path) -> Path:
    """Make an untrained policy; `PolicyError`."""
    try:
        write_in_child(FirstPolicy.of(registry.spec(bench.plant, bench.plant_options), str(path),
                                      {"network": bench.network}))
    except PolicyError as error:
        raise PolicyError(f"no policy for the bench: {error}") from error
    return path


def _run(prepared: Prepared, supervisor: Supervisor, bench: LiveBench,
         look: Callable[[float], None]) -> Usage:
    inference = [process.name for process in prepared.processes()
                 if "inference" in process.executables]
    usage = Usage()
    next_sample_s = START_S + bench.settle_s
    with started(supervisor):
        begin_s = time.monotonic()
        while (elapsed_s := time.monotonic() - begin_s) < bench.whole_s:
            supervisor.watch()
            if elapsed_s >= next_sample_s:
                next_sample_s += 1.0
                pids = supervisor.pids()
                usage.sample([pids[name] for name in inference], time.monotonic())
            look(elapsed_s)
            time.sleep(_WATCH_S)
    return usage
