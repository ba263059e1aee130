"""How long a refresh takes: from new weights to the first action with them, in one process.

Three ways in turn, each as often as asked, all from one network whose weights change in between:

- refresh: what the learner does. The graph was traced once; the weights go straight from the
  network's memory into a file of their own; the other side reads, hashes and uses that.
- serialised: the traced graph gets its weights anew and is written as one ONNX file.
- exported: `torch.onnx.export` anew, as one ONNX file.

Each file is synced to the disk, hashed, announced with its SHA-256, and loaded as the inference
node does. `ratio` is the median refresh against the median export. Memory is the peak of the whole
process meanwhile, the network and the runtime included, where the system lets it be reset.

    python benchmarks/refresh.py
    python benchmarks/refresh.py --network impala:7 --repeats 5 --json -
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
import torch

from realtime_rl import strict_json
from realtime_rl.core.errors import PolicyError, RealtimeRlError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace
from realtime_rl.files import sha256_of, write_atomically
from realtime_rl.learning import networks, onnx_export, onnx_graph
from realtime_rl.policies import external_weights, onnx_session
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

OBSERVATION = ObservationSpec((1, 84, 84), "uint8", 0, 255)
ACTIONS = ActionSpace(("A", "B", "LEFT", "UP", "RIGHT", "DOWN", "NOOP"), (6.0,))
"""The paper's, for which `impala:29` has 104.7 million weights."""
STAGES = ("make", "write", "hash", "read", "session", "warm-up", "first action")
WAYS = ("refresh", "serialised", "exported")


@dataclass
class Stages:
    """Seconds by stage; a stage within another does not count for that."""

    seconds: dict[str, float] = field(default_factory=dict)
    _open: list[float] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        self._open.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - begin
            inner = self._open.pop()
            self.seconds[name] = self.seconds.get(name, 0.0) + took - inner
            if self._open:
                self._open[-1] += took

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)
        return call

    def watch(self) -> ExitStack:
        """Time the functions that the package itself calls, without a change to them."""
        stack = ExitStack()
        for owner, name, stage in (
                (onnx_export, "write_atomically", "write"), (onnx_export, "_sha256", "hash"),
                (external_weights, "read", "read"), (onnx_session, "open_session", "session"),
                (OnnxPolicy, "_warm_up", "warm-up")):
            stack.enter_context(mock.patch.object(
                owner, name, self.timed(stage, getattr(owner, name))))
        hashing = external_weights.hashlib.sha256

        def sha256(data: bytes = b"") -> _TimedDigest:
            return _TimedDigest(self, hashing, data)
        stack.enter_context(mock.patch.object(
            external_weights, "hashlib", mock.Mock(sha256=sha256)))
        return stack


class _TimedDigest:
    """A digest whose updates are a stage of their own."""

    def __init__(self, stages: Stages, hashing: Callable[[], Any], data: bytes) -> None:
        self._digest, self._stages = hashing(), stages
        self.update(data)

    def update(self, data: bytes | memoryview) -> None:
        with self._stages.stage("hash"):
            self._digest.update(data)

    def hexdigest(self) -> str:
        return str(self._digest.hexdigest())


class Bench:
    """A network, and the three ways to hand its weights over."""

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        self.network = networks.build(name, OBSERVATION, 1, ACTIONS, seed).eval()
        self.weights = networks.parameter_count(self.network)
        self._folder = folder
        self._load = Loader((OBSERVATION, ACTIONS), Compute("cpu"))
        self._exporter = onnx_export.PolicyExporter(self.network, folder, keep=2, inline_bytes=0)
        self._graph = onnx_graph.trace(self.network, self.metadata(0))
        self._exporter.export(self.metadata(0))  # which traces the graph
        self._version = 0
        self._observation = np.random.default_rng(seed).integers(
            0, 256, OBSERVATION.shape, dtype=np.uint8)

    def metadata(self, version: int) -> PolicyMetadata:
        return PolicyMetadata(
            onnx_export.input_name(OBSERVATION), OBSERVATION, 1, ACTIONS, version, 0, 0.0,
            "benchmark", "q_values")

    def once(self, way: str) -> dict[str, float]:
        """Change the weights, hand them over, act; return seconds by stage, and the peak."""
        self._version += 1
        with torch.no_grad():
            for weights in self.network.parameters():
                weights.mul_(0.99)
        _reset_peak()
        stages = Stages()
        begin = time.perf_counter()
        with stages.watch():
            with stages.stage("make"):
                uri = getattr(self, f"_{way}")(stages)
            policy = self._load(str(uri))
            with stages.stage("first action"):
                outputs = policy.infer(self._observation)
        seconds = time.perf_counter() - begin
        with torch.no_grad():
            wanted = self.network(torch.from_numpy(self._observation[None]))[0].numpy()
        if policy.version != self._version or not np.allclose(outputs, wanted, atol=1e-4):
            raise PolicyError(f"{way}: the policy that acted is not the one that was written")
        return {**stages.seconds, "total": seconds, "peak_gb": _peak_gb()}

    def _refresh(self, stages: Stages) -> PolicyUri:
        return self._exporter.export(self.metadata(self._version))

    def _serialised(self, stages: Stages) -> PolicyUri:
        values = onnx_graph.weights(self._graph, self.network)
        for item, value in zip(self._graph.graph.initializer, values, strict=True):
            item.raw_data = value.tobytes()
        try:
            return self._one_file(self._graph, stages)
        finally:  # the other ways' peaks are without it
            for item in self._graph.graph.initializer:
                item.ClearField("raw_data")

    def _exported(self, stages: Stages) -> PolicyUri:
        path = self._folder / "traced.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                self.network, (torch.zeros(1, *OBSERVATION.shape, dtype=torch.uint8),), path,
                dynamo=False, opset_version=17, do_constant_folding=False,
                input_names=[onnx_export.input_name(OBSERVATION)], output_names=["outputs"])
        model = onnx.load(path)
        path.unlink()
        return self._one_file(model, stages)

    def _one_file(self, model: onnx.ModelProto, stages: Stages) -> PolicyUri:
        del model.metadata_props[:]
        for key, value in self.metadata(self._version).to_props().items():
            model.metadata_props.add(key=key, value=value)
        path, content = self._folder / "one.onnx", model.SerializeToString()
        with stages.stage("write"):
            write_atomically(path, content)
        with stages.stage("hash"):
            return PolicyUri(path, sha256_of(path))


def _reset_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_gb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM"))


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    bench = Bench(args.network, folder, args.seed)
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(args.repeats):
        for way in WAYS:
            runs[way].append(bench.once(way))
            if not args.json:
                print(f"{way:<11}{runs[way][-1]['total']:8.2f} s", file=sys.stderr)
    middle = {way: {name: statistics.median(run.get(name, 0.0) for run in runs[way])
                    for name in (*STAGES, "total", "peak_gb")} for way in WAYS}
    return {"network": args.network, "weights": bench.weights, "seed": args.seed,
            "threads": args.threads, "median": middle, "runs": runs,
            "ratio": middle["refresh"]["total"] / middle["exported"]["total"]}


def show(result: dict[str, Any]) -> None:
    print(f"{result['network']}: {result['weights'] / 1e6:.1f}M weights, medians of "
          f"{len(result['runs']['refresh'])}, in seconds")
    print(f"{'':<14}" + "".join(f"{way:>12}" for way in WAYS))
    for name in (*STAGES, "total"):
        print(f"{name:<14}" + "".join(f"{result['median'][way][name]:12.3f}" for way in WAYS))
    print(f"{'peak [GB]':<14}" + "".join(
        f"{result['median'][way]['peak_gb']:12.2f}" for way in WAYS))
    print(f"ratio refresh / exported: {result['ratio']:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="impala:29", metavar="NAME",
                        help="as in learner.network (default: %(default)s, 104.7M weights)")
    parser.add_argument("--repeats", type=int, default=3, help="of each way (default: 3)")
    parser.add_argument("--threads", type=int, default=1, help="torch's (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, metavar="DIR",
                        help="on the disk that is meant (default: a temporary folder)")
    parser.add_argument("--json", choices=["-"], help="print JSON")
    args = parser.parse_args()
    if args.repeats < 1 or args.threads < 1:
        parser.error("--repeats and --threads must be 1 or more")
    torch.set_num_threads(args.threads)
    try:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            result = measure(args, Path(folder))
    except (RealtimeRlError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print(strict_json.dumps(result, indent=2))
    else:
        show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
