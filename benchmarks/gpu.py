"""What a GPU does for a large policy: the same actions, how fast, how many workers, and learning.

    python -m benchmarks.gpu --networks impala:7 impala:29 impala:98 --json gpu.json
    python -m benchmarks.gpu --networks impala:98 --only agreement alone --json gpu.json
    python -m benchmarks.gpu --policy policies/catch.onnx --observations catch.npz --networks
    python -m benchmarks.gpu --provider cpu --device cpu --networks impala:1 --workers 1 2 \\
        --sessions 1 2 --seconds 2                                   # does it work here?

For each network, from untrained weights and random pictures:

- whether the provider chooses the actions that the CPU chooses, and by how much the values differ;
- how long one inference takes when nothing else runs;
- how many inferences a second N workers make, threads of one process as in an inference node, when
  they share one session or have several: the ratio to one worker is the effective parallelism, and
  where it no longer grows contention has begun;
- how many gradient updates a second a learner makes there.

Of a policy, the first two, with what it sees in its own game. A provider or device that is not
there is refused, never replaced. What a network does not fit into is said and left out, and the
figures are written as they come. `NVIDIA_TF32_OVERRIDE=0` in the environment keeps NVIDIA's
libraries from rounding float32 to TF32.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from benchmarks.rates import ACTIONS, SPEC, filled
from realtime_rl import strict_json
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy.fitting import Plant
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action
from realtime_rl.files import write_atomically
from realtime_rl.learning import devices, networks, torch_process
from realtime_rl.learning.onnx_export import initial_policy
from realtime_rl.plants import registry
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.loop import Delay, Loop

PICTURES = 256
"""Different ones."""
GRIDS = (1, 2, 3, 4, 6, 7, 12, 14, 21, 28, 42, 84)
"""Squares of one brightness along each side of a random picture."""
FIGURES = ("agreement", "alone", "together", "learning")


@dataclass(frozen=True)
class Agreement:
    """The provider's actions against the CPU's."""

    network: str
    observations: int
    different_actions: int
    """That the CPU chose."""
    same_actions: int
    largest_difference: float
    """Of any value, as a share of the largest one."""
    largest_gap: float
    """Where the actions differ: by how much the CPU values its own higher, as such a share."""
    cpu_ms: float
    """Median of what an inference took the CPU, on all of its cores."""

    def __str__(self) -> str:
        return (f"{self.network}: {self.same_actions} of {self.observations} actions are the "
                f"CPU's, which chose {self.different_actions} different ones in "
                f"{self.cpu_ms:.1f} ms each; values differ by {self.largest_difference:.1e} of the "
                f"largest at most, between two actions by {self.largest_gap:.1e}")


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


Figure = Agreement | Alone | Together | Learning


class Subject:
    """A policy file, what it is shown, and where it is run; loaded when it is needed."""

    def __init__(self, name: str, path: Path, expected: Plant, seen: list[Observation],
                 provider: str) -> None:
        self.name = name
        self.seen = seen
        self._path = path
        self._expected = expected
        self._provider = provider
        self._loaded: tuple[int, OnnxPolicy] | None = None

    def load(self, sessions: int = 1) -> OnnxPolicy:
        """Load it; `ConfigError` where another provider would compute than the one asked for."""
        if self._loaded is None or self._loaded[0] != sessions:
            self._loaded = None  # its memory first
            policy = OnnxPolicy.load(self._path, self._expected, self._provider, sessions=sessions)
            if policy.fallback:
                raise ConfigError(policy.fallback)
            self._loaded = sessions, policy
        return self._loaded[1]

    def on_cpu(self) -> OnnxPolicy:
        """Load it for all cores of the CPU."""
        return OnnxPolicy.load(self._path, self._expected, "cpu", os.cpu_count() or 1)


def pictures() -> list[Observation]:
    """Return random observations from coarse to fine, the same ones at every call.

    To an untrained network, pictures of noise alone are one like the other.
    """
    rng, side = np.random.default_rng(0), SPEC.shape[1]
    drawn = [(grid, rng.integers(0, 256, (1, grid, grid), np.uint8))
             for grid in (GRIDS[index % len(GRIDS)] for index in range(PICTURES))]
    return [np.kron(squares, np.ones((1, side // grid, side // grid), np.uint8))
            for grid, squares in drawn]


def played(path: Path, expected: Plant, file: Path, rom: str) -> list[Observation]:
    """Return what a policy was shown in its game, from `file`; play and write it if absent."""
    if not file.exists():
        policy, seen = OnnxPolicy.load(path, expected, "cpu"), list[NDArray[np.generic]]()

        def act(tick: int, observation: Observation) -> Action:
            if tick % 8 == 0:
                seen.append(observation.copy())
            return policy.act(policy.infer(observation))

        plant = registry.make("pyboy", {"rom": rom}, 0)
        try:
            loop = Loop(plant, act, Delay(6), stack=policy.stack)
            while len(seen) < PICTURES:
                loop.step()
        finally:
            plant.close()
        np.savez_compressed(file, seen=np.stack(seen))
    with np.load(file) as arrays:
        return list(arrays["seen"])


def agree(subject: Subject, seconds: float) -> Agreement:
    """Compare what the provider gives with what the CPU gives in so many seconds."""
    theirs, durations, cpu = list[NDArray[np.float32]](), list[float](), subject.on_cpu()
    for each in subject.seen:
        begin = time.perf_counter()
        theirs.append(cpu.infer(each))
        durations.append(time.perf_counter() - begin)
        if sum(durations) > seconds:
            break
    del cpu
    policy = subject.load()
    ours = np.stack([policy.infer(each) for each in subject.seen[:len(theirs)]])
    reference = np.stack(theirs)
    largest, rows = float(np.abs(reference).max()), np.arange(len(theirs))
    wanted, chosen = reference.argmax(1), ours.argmax(1)
    return Agreement(
        subject.name, len(theirs), len(set(wanted.tolist())), int((wanted == chosen).sum()),
        float(np.abs(reference - ours).max()) / largest,
        float((reference[rows, wanted] - reference[rows, chosen]).max()) / largest,
        1e3 * statistics.median(durations))


def infer(subject: Subject, policy: OnnxPolicy, workers: int, seconds: float
          ) -> tuple[list[float], float]:
    """Let workers infer for so long; return what each inference took [s], and how many a second."""
    begin: list[float] = []
    start = threading.Barrier(workers, action=lambda: begin.append(time.perf_counter()))
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(_work, policy, subject.seen, worker, start, seconds)
                   for worker in range(workers)]
    taken = time.perf_counter() - begin[0]
    every = [each for mine in running for each in mine.result()]
    return every, len(every) / taken


def _work(policy: OnnxPolicy, seen: list[Observation], worker: int, start: threading.Barrier,
          seconds: float) -> list[float]:
    try:
        policy.infer(seen[0], worker=worker)  # in each new thread CUDA prepares something
    finally:
        start.wait()
    durations: list[float] = []
    until = time.perf_counter() + seconds
    while not durations or time.perf_counter() < until:
        begin = time.perf_counter()
        policy.infer(seen[len(durations) % len(seen)], worker=worker)
        durations.append(time.perf_counter() - begin)
    return durations


def alone(subject: Subject, seconds: float) -> Alone:
    """Measure one worker."""
    durations, _ = infer(subject, subject.load(), 1, seconds)
    return Alone(subject.name, 1e3 * statistics.median(durations),
                 1e3 * float(np.quantile(durations, 0.95)), len(durations))


def together(subject: Subject, sessions: int, args: argparse.Namespace) -> Iterator[Together]:
    """Measure N workers on so many sessions, after one worker with as many."""
    policy = subject.load(sessions)
    _, one = infer(subject, policy, 1, args.seconds)
    for workers in args.workers:
        if sessions <= workers:
            durations, per_s = infer(subject, policy, workers, args.seconds)
            yield Together(subject.name, workers, sessions, per_s, per_s / one,
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


def inferences(subject: Subject, args: argparse.Namespace) -> Iterator[Iterable[Figure]]:
    """Yield what is measured of one policy; each may fail without the others."""
    if "agreement" in args.only:
        yield (agree(each, args.agreement_seconds) for each in [subject])
    if "alone" in args.only:
        yield (alone(each, args.seconds) for each in [subject])


def measure(network: str, folder: Path, args: argparse.Namespace) -> Iterator[Iterable[Figure]]:
    """Yield what is measured of one network, the learner last; each may fail without the others."""
    if set(args.only) - {"learning"}:
        path = folder / "policy.onnx"
        torch.set_num_threads(os.cpu_count() or 1)
        initial_policy(path, network=network, observation=SPEC, stack=1, actions=ACTIONS, seed=0)
        subject = Subject(network, path, (SPEC, ACTIONS), pictures(), args.provider)
        yield from inferences(subject, args)
        if "together" in args.only:
            for sessions in args.sessions:
                yield together(subject, sessions, args)
        del subject  # its memory before the learner's
    if "learning" in args.only:
        torch_process.prepare(1)
        yield (learn(each, args) for each in [network])


def trained(args: argparse.Namespace) -> Iterator[Iterable[Figure]]:
    """Yield what is measured of `--policy`."""
    path = Path(args.policy)
    metadata = PolicyMetadata.from_props({
        each.key: each.value
        for each in onnx.load(path, load_external_data=False).metadata_props})
    if metadata is None:
        raise ConfigError(f"--policy {str(path)!r} has no metadata")
    expected = metadata.observation, metadata.actions
    seen = played(path, expected, Path(args.observations), args.rom)
    yield from inferences(Subject(path.name, path, expected, seen, args.provider), args)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", default=["impala:7"], metavar="NAME")
    parser.add_argument("--policy", metavar="FILE", help="a trained one, too")
    parser.add_argument("--observations", default="observations.npz", metavar="FILE",
                        help="what it is shown; played and written if absent, which takes PyBoy "
                             "(default: %(default)s)")
    parser.add_argument("--rom", default="catch", help="its game (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=FIGURES,
                        help="which figures (default: all)")
    parser.add_argument("--provider", default="cuda", choices=["cpu", "cuda", "tensorrt"])
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"],
                        help="where the learner computes (default: %(default)s)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8], metavar="N")
    parser.add_argument("--sessions", nargs="+", type=int, default=[1, 2, 8], metavar="N",
                        help="each with the workers that are no fewer (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="of the learner")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure")
    parser.add_argument("--agreement-seconds", type=float, default=60.0,
                        help="that the CPU may infer for (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    return parser.parse_args()


class Figures:
    """What was measured so far."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._document: dict[str, object] = {
            "provider": args.provider, "device": args.device, "gpu": devices.gpu(),
            "machine": platform.machine(), "cores": os.cpu_count(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__,
                         "onnxruntime": onnxruntime.__version__},
            "NVIDIA_TF32_OVERRIDE": os.environ.get("NVIDIA_TF32_OVERRIDE", ""), "left_out": []}

    def take(self, name: str, steps: Iterable[Iterable[Figure]]) -> None:
        """Measure and keep; of a step that fails is told, and the others' figures are kept."""
        with self._telling(name):
            for step in steps:
                with self._telling(name):
                    for each in step:
                        print(each, file=sys.stderr, flush=True)
                        self._append(type(each).__name__.lower(), asdict(each))

    @contextlib.contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        try:
            yield
        except ConfigError:
            raise
        except Exception as error:  # ONNX Runtime's have no common base class
            said = (str(error).splitlines() or [type(error).__name__])[0]
            said = said if name in said else f"{name}: {said}"
            print(said, file=sys.stderr, flush=True)
            self._append("left_out", said)

    def _append(self, key: str, value: object) -> None:
        kept = self._document.setdefault(key, [])
        assert isinstance(kept, list)
        kept.append(value)
        if self._args.json != "-":
            with contextlib.suppress(ConfigError):  # said at the end
                self.put()

    def put(self) -> None:
        """Write the figures where they are asked for; `ConfigError` where they cannot be."""
        text = strict_json.dumps(self._document, indent=2) + "\n"
        if self._args.json == "-":
            print(text, end="")
        elif self._args.json:
            try:
                write_atomically(Path(self._args.json), text.encode())
            except OSError as error:
                raise ConfigError(f"{self._args.json!r} cannot be written: {error.strerror}; "
                                  "the figures stand above") from error


def main() -> int:
    args = parse()
    try:
        if not 0.0 < args.seconds < float("inf"):
            raise ConfigError(f"--seconds {args.seconds!r} must be above 0")
        if min(args.workers + args.sessions + [args.batch]) < 1:
            raise ConfigError("--workers, --sessions and --batch must be 1 or more")
        devices.choose(args.device)
        for network in args.networks:
            networks.parse(network)
        torch_process.prepare(1)
        figures = Figures(args)
        if args.policy:
            figures.take(args.policy, trained(args))
        for network in args.networks:
            with tempfile.TemporaryDirectory() as folder:
                figures.take(network, measure(network, Path(folder), args))
        figures.put()
    except RealtimeRlError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
