"""How long `report` takes over a bag of many hours, and how much memory.

The bag is made up: two minutes of the default graph in virtual time (a Game Boy's period, seven
workers, an emulated 95 ms) again and again, each time with its own stamps, lateness, rewards and
policies; no pictures. `report` runs in a process of its own.

    python benchmarks/long_bag.py                        # eight hours
    python benchmarks/long_bag.py --hours 1 --html
    python benchmarks/long_bag.py --keep bags/long       # leave the bag there, or use the one there
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.bags import messages
from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.records import Inference, Learning, ScheduleRecord, Timestep, Verdict
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.policies.latency import Latency

PERIOD_NS = 16_742_706
START_NS = 1_760_000_000_000_000_000
WORKERS = 7
LATENCY = "lognormal:95ms,cv=0.05"
EPISODE_TICKS = 300
BASE_TICKS = 24 * EPISODE_TICKS
_NAMES: dict[type, str] = {Timestep: "timestep", Verdict: "verdict", Inference: "inference",
                           ScheduleRecord: "schedule", Learning: "learning"}
_SECOND_NS = 1_000_000_000
_Message = tuple[int, str, bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of one kind of the two minutes, as a table of their numbers."""

    topic: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    frame: bytes
    """A message of theirs."""
    values_at: int

    def shifted(self, name: str, by: float) -> None:
        """Let a number go on where it ended; what says that there is none stays."""
        column = self.values[:, self.names.index(name)]
        column[column >= 0] += by

    def column(self, name: str) -> NDArray[np.int64]:
        """Return one number of each record."""
        return self.values[:, self.names.index(name)].astype(np.int64)

    def messages(self, stamps_ns: NDArray[np.int64]) -> list[bytes]:
        """Serialize them all, with these stamps."""
        data = np.tile(np.frombuffer(self.frame, np.uint8), (len(self.values), 1))
        data[:, 4:8] = _bytes(stamps_ns // _SECOND_NS, np.uint32)
        data[:, 8:12] = _bytes(stamps_ns % _SECOND_NS, np.uint32)
        data[:, self.values_at:self.values_at + 8 * len(self.names)] = _bytes(
            self.values, np.float64)
        return [row.tobytes() for row in data]


def _bytes(values: NDArray[Any], kind: type) -> NDArray[np.uint8]:
    rows = len(values)
    return np.ascontiguousarray(values, kind).view(np.uint8).reshape(rows, -1)


def tabled(records: list[Any]) -> Kind:
    """Return records of one kind, with the same texts, as a table."""
    first = wire.encode(records[0])
    frame = messages.scalars_to_cdr(first)
    layout = messages.scalars_layout(frame)
    assert layout is not None
    return Kind(_NAMES[type(records[0])], first.names,
                np.array([wire.encode(record).values for record in records]), frame,
                layout.values_at)


def write(folder: Path, hours: float) -> int:
    """Write a bag; return the number of its messages."""
    policy = CoordinationPolicy(tuple(range(WORKERS)), PERIOD_NS, 2_000_000,
                                processes=("inference_0",))
    run = run_virtual(VirtualGraph(policy, Latency.parse(LATENCY), BASE_TICKS))
    steps, verdicts, inferences = (tabled(list(records)) for records in (
        [_played(step) for step in run.timesteps], run.verdicts, run.inferences))
    rng, count = np.random.default_rng(0), 0
    topics = [TopicInfo(f"/{name}", messages.SCALARS, OfferedQos(1000))
              for name in _NAMES.values()]
    with BagWriter(folder, [*topics, TopicInfo("/policy", messages.TEXT)]) as bag:
        for record in run.schedules:
            stamped = replace(record, stamp_ns=START_NS + record.stamp_ns)
            bag.write("/schedule", _cdr(stamped), stamped.stamp_ns)
        for begin in range(0, round(hours * 3600e9 / PERIOD_NS), BASE_TICKS):
            stamps_ns = (START_NS + (begin + np.arange(BASE_TICKS)) * PERIOD_NS
                         + rng.exponential(120_000, BASE_TICKS).astype(np.int64))
            made = [*_ticks(steps, stamps_ns, rng), *_learner(begin, stamps_ns),
                    *_actions(verdicts, inferences, begin, stamps_ns, rng)]
            for receive_ns, topic, cdr in sorted(made):
                bag.write(f"/{topic}", cdr, receive_ns)
            bag.flush()
            count += len(made)
            for kind in (steps, verdicts, inferences):
                _go_on(kind)
    return count


def _played(step: Timestep) -> Timestep:
    place = step.tick % EPISODE_TICKS
    return replace(step, plant="catch", episode=step.tick // EPISODE_TICKS, first=place == 0,
                   last=place == EPISODE_TICKS - 1, reward=float(place % 50 == 49))


def _go_on(kind: Kind) -> None:
    for name in ("tick", "observation_tick", "due_tick"):
        if name in kind.names:
            kind.shifted(name, BASE_TICKS)
    if "episode" in kind.names:
        kind.shifted("episode", BASE_TICKS / EPISODE_TICKS)
    if "arrival_s" in kind.names:
        kind.shifted("arrival_s", BASE_TICKS * PERIOD_NS / 1e9)
    kind.shifted("version", 1)


def _ticks(steps: Kind, stamps_ns: NDArray[np.int64], rng: np.random.Generator
           ) -> Iterator[_Message]:
    late_ns = stamps_ns - (START_NS + steps.column("tick") * PERIOD_NS)
    steps.values[:, steps.names.index("lateness_s")] = late_ns / 1e9
    rewarded = steps.column("tick") % 50 == 49
    steps.values[:, steps.names.index("reward")] = rewarded & (rng.random(BASE_TICKS) < 0.8)
    for stamp_ns, cdr in zip(stamps_ns.tolist(), steps.messages(stamps_ns), strict=True):
        yield stamp_ns + 200_000, "timestep", cdr


def _actions(verdicts: Kind, inferences: Kind, begin: int, stamps_ns: NDArray[np.int64],
             rng: np.random.Generator) -> Iterator[_Message]:
    seen = inferences.column("tick") - begin
    names, size = inferences.names, len(seen)
    inferences.values[:, names.index("age_s")] = 0.0002 + rng.exponential(8e-5, size)
    inferences.values[:, names.index("compute_s")] = 0.011 + rng.exponential(1e-4, size)
    done_ns = stamps_ns[seen] + (np.nan_to_num(
        inferences.values[:, names.index("duration_s")]) * 1e9).astype(np.int64)
    for receive_ns, cdr in zip((done_ns + 400_000).tolist(),
                               inferences.messages(stamps_ns[seen]), strict=True):
        yield receive_ns, "inference", cdr
    answered, told = (np.maximum(-1, verdicts.column(name) - begin)
                      for name in ("observation_tick", "tick"))
    known_ns = np.where(answered >= 0, stamps_ns[answered], 0)
    arrivals = verdicts.values[:, verdicts.names.index("arrival_s")]
    arrivals += np.where(answered >= 0, rng.normal(0.0, 1e-7, len(arrivals)), 0.0)
    at_ns = np.where(told >= 0, stamps_ns[told], known_ns + 100_000_000) + 300_000
    for receive_ns, cdr in zip(at_ns.tolist(), verdicts.messages(known_ns), strict=True):
        yield receive_ns, "verdict", cdr


def _learner(begin: int, stamps_ns: NDArray[np.int64]) -> Iterator[_Message]:
    version = begin // BASE_TICKS
    uri = f"file:///run/policy-{version:06d}.onnx#sha256={'0' * 64}"
    yield int(stamps_ns[0]), "policy", messages.text_to_cdr(uri)
    for tick in range(59, BASE_TICKS, 60):
        stamp_ns, played = int(stamps_ns[tick]), begin + tick
        yield stamp_ns, "learning", _cdr(Learning(
            stamp_ns, played // 4, played // 2, 1.0 / (1 + played), 0.05, version, tick / 60))


def _cdr(record: object) -> bytes:
    return messages.scalars_to_cdr(wire.encode(record))


def report(bag: Path, out: Path, html: bool) -> dict[str, Any]:
    """Let a process of its own make the report; return what it took."""
    words = ["--json", str(out / "figures.json"), *(["--html", str(out / "page.html")] * html)]
    begin_s = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "realtime_rl.cli.main", "report", str(bag),
                              *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RealtimeRlError(f"report failed with status {child.returncode}")
    figures = json.loads((out / "figures.json").read_text())
    return {"seconds": round(time.monotonic() - begin_s, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_megabytes": round(used.ru_maxrss / 1024, 1),
            "ticks": figures["plant"]["ticks"],
            "inaction_fraction": figures["interaction"]["inaction_fraction"]}


def main() -> int:
    """Make the bag and the report, and print what the report took."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0, help="of the bag")
    parser.add_argument("--html", action="store_true", help="with pictures")
    parser.add_argument("--keep", type=Path, help="where the bag is, or is left")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="realtime_rl-long-bag-") as name:
        bag = args.keep or Path(name, "bag")
        if not bag.exists():
            begin_s = time.monotonic()
            count = write(bag, args.hours)
            print(f"{count:,} messages made in {time.monotonic() - begin_s:.0f} s",
                  file=sys.stderr)
        print(json.dumps(report(bag, Path(name), args.html)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
