"""What a GPU does for a large policy: the same actions, how fast, how many workers, and learning.

    python -m benchmarks.gpu --networks impala:7 impala:29 impala:98 --json gpu.json
    python -m benchmarks.gpu --provider cpu --device cpu --networks impala:1 --workers 1 2 \\
        --sessions 1 2 --seconds 2                                   # does it work here?

For each network, from untrained weights and random pictures:

- whether the provider chooses the actions that the CPU chooses, and by how much the values differ;
- how long one inference takes when nothing else runs;
- how many inferences a second N workers make, threads of one process as in an inference node, when
  they share one session or have several: the ratio to one worker is the effective parallelism, and
  where it no longer grows contention has begun;
- how many gradient updates a second a learner makes there.

A provider or device that is not there is refused, never replaced. What a network does not fit into
is said and left out.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.rates import ACTIONS, SPEC, filled
from realtime_rl.core.dqn_config import DqnConfig
from realtime_rl.core.errors import ConfigError, PolicyError, RealtimeRlError
from realtime_rl.core.types import Observation
from realtime_rl.files import write_atomically
from realtime_rl.learning import devices, networks, torch_process
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.onnx_export import initial_policy
from realtime_rl.policies.onnx_policy import OnnxPolicy

PICTURES = 256
"""Different random ones."""


@dataclass(frozen=True)
class Agreement:
    """The provider's actions against the CPU's."""

    network: str
    observations: int
    same_actions: int
    largest_difference: float
    """Of any value, as a share of the largest one."""

    def __str__(self) -> str:
        return (f"{self.network}: {self.same_actions} of {self.observations} actions are the "
                f"CPU's; values differ by {self.largest_difference:.1e} of the largest at most")


@dataclass(frozen=True)
class Alone:
    """One inference at a time."""

    network: str
    median_ms: float
    p95_ms: float
    inferences: int

    def __str__(self) -> str:
        return (f"{self.network}, one at a time: {self.median_ms:.2f} ms, p95 {self.p95_ms:.2f} ms "
                f"({self.inferences} inferences)")


@dataclass(frozen=True)
class Together:
    """N workers at a time."""

    network: str
    workers: int
    sessions: int
    per_s: float
    parallelism: float
    """Times as many a second as one worker with as many sessions makes."""
    median_ms: float

    def __str__(self) -> str:
        return (f"{self.network}, {self.workers} workers, {self.sessions} sessions: "
                f"{self.per_s:.1f} a second, {self.parallelism:.2f} times one worker's; "
                f"{self.median_ms:.2f} ms each")


@dataclass(frozen=True)
class Learning:
    """A learner alone."""

    network: str
    batch: int
    updates_per_s: float

    def __str__(self) -> str:
        return f"{self.network}, learner, batch of {self.batch}: {self.updates_per_s:.2f} updates/s"


def pictures() -> list[Observation]:
    """Return random observations, the same ones at every call."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, SPEC.shape, np.uint8) for _ in range(PICTURES)]


def load(path: Path, provider: str, sessions: int = 1) -> OnnxPolicy:
    """Load a policy; `ConfigError` where another provider would compute than the one asked for."""
    policy = OnnxPolicy.load(path, (SPEC, ACTIONS), provider, sessions=sessions)
    if policy.fallback:
        raise ConfigError(policy.fallback)
    return policy


def agree(network: str, path: Path, provider: str) -> Agreement:
    """Compare what the provider gives with what the CPU gives."""
    seen = pictures()
    outputs = [np.stack([policy.infer(each) for each in seen])
               for policy in (load(path, "cpu"), load(path, provider))]
    theirs, ours = outputs
    return Agreement(network, len(seen), int((theirs.argmax(1) == ours.argmax(1)).sum()),
                     float(np.abs(theirs - ours).max() / np.abs(theirs).max()))


def infer(policy: OnnxPolicy, workers: int, seconds: float) -> tuple[list[float], float]:
    """Let workers infer for so long; return what each inference took [s], and how many a second."""
    seen, durations = pictures(), [list[float]() for _ in range(workers)]
    begin = time.perf_counter()
    threads = [threading.Thread(target=_work, args=(policy, seen, lane, begin + seconds, mine))
               for lane, mine in enumerate(durations)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - begin
    every = [each for mine in durations for each in mine]
    return every, len(every) / taken


def _work(policy: OnnxPolicy, seen: list[Observation], lane: int, until: float,
          durations: list[float]) -> None:
    while not durations or time.perf_counter() < until:
        begin = time.perf_counter()
        policy.infer(seen[len(durations) % len(seen)], lane=lane)
        durations.append(time.perf_counter() - begin)


def alone(network: str, policy: OnnxPolicy, seconds: float) -> Alone:
    """Measure one worker."""
    durations, _ = infer(policy, 1, seconds)
    return Alone(network, 1e3 * statistics.median(durations),
                 1e3 * float(np.quantile(durations, 0.95)), len(durations))


def together(network: str, path: Path, args: argparse.Namespace) -> Iterator[Together]:
    """Measure N workers on one session and on several, beside one worker each time."""
    for sessions in args.sessions:
        policy = load(path, args.provider, sessions)
        for workers in args.workers:
            if sessions <= workers:
                _, one = infer(policy, 1, args.seconds)
                durations, per_s = infer(policy, workers, args.seconds)
                yield Together(network, workers, sessions, per_s, per_s / one,
                               1e3 * statistics.median(durations))


def learn(network: str, args: argparse.Namespace) -> Learning:
    """Make updates for so long, after a few that are not counted."""
    config = DqnConfig(network=network, device=args.device, stack=1, learn_start=1,
                       batch_size=args.batch)
    learner = filled(config)
    for _ in range(3):
        learner.update()
    begin, updates = time.perf_counter(), 0
    while (taken := time.perf_counter() - begin) < args.seconds or not updates:
        learner.update()
        updates += 1
    return Learning(network, args.batch, updates / taken)


def measure(network: str, folder: Path, args: argparse.Namespace
            ) -> Iterator[Agreement | Alone | Together | Learning]:
    """Measure everything of one network, the learner last."""
    path = folder / "policy.onnx"
    initial_policy(path, network=network, observation=SPEC, stack=1, actions=ACTIONS, seed=0)
    yield agree(network, path, args.provider)
    yield alone(network, load(path, args.provider), args.seconds)
    yield from together(network, path, args)
    yield learn(network, args)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["impala:7"], metavar="NAME")
    parser.add_argument("--provider", default="cuda", choices=["cpu", "cuda", "tensorrt"])
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"],
                        help="where the learner computes (default: %(default)s)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8], metavar="N")
    parser.add_argument("--sessions", nargs="+", type=int, default=[1, 2, 8], metavar="N",
                        help="each with the workers that are no fewer (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="of the learner")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    args = parser.parse_args()
    figures: dict[str, list[dict[str, object]]] = {}
    left_out: list[str] = []
    try:
        if not 0.0 < args.seconds < float("inf"):
            raise ConfigError(f"--seconds {args.seconds!r} must be above 0")
        if min(args.workers + args.sessions + [args.batch]) < 1:
            raise ConfigError("--workers, --sessions and --batch must be 1 or more")
        devices.choose(args.device)
        for network in args.networks:
            networks.parse(network)
        torch_process.prepare(1)
        for network in args.networks:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    for each in measure(network, Path(folder), args):
                        print(each, file=sys.stderr, flush=True)
                        figures.setdefault(type(each).__name__.lower(), []).append(asdict(each))
                except (LearningError, PolicyError) as error:  # the others' figures are kept
                    print(error, file=sys.stderr, flush=True)
                    left_out.append(str(error))
    except RealtimeRlError as error:
        print(error, file=sys.stderr)
        return 1
    return put(args, figures, left_out)


def put(args: argparse.Namespace, figures: dict[str, list[dict[str, object]]],
        left_out: list[str]) -> int:
    """Write the figures where they are asked for; return the exit status."""
    document = {"provider": args.provider, "device": args.device, "gpu": devices.gpu(),
                "machine": platform.machine(), "left_out": left_out, **figures}
    text = json.dumps(document, indent=2) + "\n"
    if args.json and args.json != "-":
        try:
            write_atomically(Path(args.json), text.encode())
        except OSError as error:
            print(f"{args.json!r} cannot be written: {error.strerror}; the figures stand above",
                  file=sys.stderr)
            return 1
    elif args.json:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
