"""What a GPU does for a large policy: the same actions, how fast, how many workers, and learning.

    python -m benchmarks.gpu --networks impala:7 impala:29 impala:98 --json gpu.json
    python -m benchmarks.gpu --networks impala:98 --only agreement alone --json gpu.json
    python -m benchmarks.gpu --networks impala:29 --only alone --cuda-graph
    python -m benchmarks.gpu --policy policies/catch.onnx --observations catch.npz --networks
    python -m benchmarks.gpu --provider cpu --device cpu --networks impala:1 --workers 1 2 \\
        --sessions 1 2 --seconds 2                                   # does it work here?

For each network, from untrained weights and random pictures:

- whether the provider chooses the actions that the CPU chooses, and by how much the values differ;
- how long one inference takes when nothing else runs;
- how many inferences a second N workers make, threads of one process as in an inference node, when
  they share one session or have several: the ratio to one worker is the effective parallelism, and
  where it no longer grows contention has begun;
- how long a run takes that answers several observations, for `realtime-rl plan --batch`;
- how long a refresh takes as a new session and as a refit, and what a refit costs each inference;
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
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import onnx
import onnxruntime
import torch

from benchmarks.gpu_figures import Figure, agree, alone, batches, learn, refresh, together
from benchmarks.gpu_subject import Subject, pictures, played
from benchmarks.rates import ACTIONS, SPEC
from realtime_rl import strict_json
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.files import write_atomically
from realtime_rl.learning import devices, networks, torch_process
from realtime_rl.learning.onnx_export import initial_policy
from realtime_rl.policies.compute import Compute

FIGURES = ("agreement", "alone", "batches", "refresh", "together", "learning")


def inferences(subject: Subject, args: argparse.Namespace) -> Iterator[Iterable[Figure]]:
    """Yield what is measured of one policy; each may fail without the others."""
    if "agreement" in args.only:
        yield (agree(each, args.agreement_seconds) for each in [subject])
    if "alone" in args.only:
        yield (alone(each, args.seconds) for each in [subject])
    if "batches" in args.only:
        yield batches(subject, args.batches, args.seconds)
    if "refresh" in args.only:
        yield (refresh(each, args.seconds) for each in [subject])


def measure(network: str, folder: Path, args: argparse.Namespace) -> Iterator[Iterable[Figure]]:
    """Yield what is measured of one network, the learner last; each may fail without the others."""
    if set(args.only) - {"learning"}:
        path = folder / "policy.onnx"
        torch.set_num_threads(os.cpu_count() or 1)
        initial_policy(path, network=network, observation=SPEC, stack=1, actions=ACTIONS, seed=0)
        subject = Subject(network, path, (SPEC, ACTIONS), pictures(), asked(args))
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
    yield from inferences(Subject(path.name, path, expected, seen, asked(args)), args)


def asked(args: argparse.Namespace) -> Compute:
    """Return what is asked of the backend; `ConfigError` for what does not go together."""
    return Compute(args.provider, sessions=max(args.workers) if args.cuda_graph else 1,
                   cuda_graph=args.cuda_graph, tensorrt_cache=args.tensorrt_cache,
                   tensorrt_fp16=args.tensorrt_fp16)


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
    parser.add_argument("--batches", nargs="+", type=int, default=[2, 4, 8], metavar="B",
                        help="observations of a run (default: %(default)s)")
    parser.add_argument("--cuda-graph", action="store_true",
                        help="record runs and replay them; without batches and refresh")
    parser.add_argument("--tensorrt-cache", default="", metavar="DIR")
    parser.add_argument("--tensorrt-fp16", action="store_true")
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
        if min(args.workers + args.sessions + args.batches + [args.batch]) < 1:
            raise ConfigError("--workers, --sessions, --batches and --batch must be 1 or more")
        if args.cuda_graph:
            args.only = [each for each in args.only if each not in ("batches", "refresh")]
        asked(args)
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
