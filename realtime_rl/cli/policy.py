"""`realtime-rl policy`: what a policy file takes and gives, how it would be fed, what it costs."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.bench.text import number
from realtime_rl.cli import policy_batches, policy_options, policy_prefix, policy_use
from realtime_rl.cli.output import put
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import ConfigError, PolicyError
from realtime_rl.core.observations import Observation, join, names_of
from realtime_rl.core.policy import prefix
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.tensors import Graph, Tensor
from realtime_rl.core.schedule.horizon import workers_needed
from realtime_rl.core.schedule.planner import Setting, representative_ns, required_workers
from realtime_rl.core.schedule.stagger import promised_delay_ticks
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.core.settings.inference import policy_options as of_parameters
from realtime_rl.core.settings.parameters import ActuatorParameters
from realtime_rl.core.types import PlantSpec
from realtime_rl.plants import registry
from realtime_rl.policies import onnx_session
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.onnx_policy import OnnxPolicy

_EPILOG = """examples:
  realtime-rl policy mine.onnx
  realtime-rl policy mine.onnx --plant gymnasium --plant-option id=Pendulum-v1
  realtime-rl policy act.onnx --config robot --policy-inputs observation.images.front=front \\
      --policy-inputs observation.state=arm --policy-normalize 'front scale=1/255'
  realtime-rl policy sac.onnx --config so101 --policy-output gaussian_tanh
  realtime-rl policy reach.onnx --config robot --robot arm.yaml
  realtime-rl policy isaac.onnx --config robot --policy-descriptors IO_descriptors.yaml
  realtime-rl policy mine.onnx --config catch --json - | jq .workers

status: 0: it fits the plant, or none was named; 2: it does not, and the line says why"""
_SCHEMA = 1
_HANDOVER_NS = 2_000_000
_LONGEST_S = 10.0
"""Runs are timed for so long at most, but five of them."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "policy", help="what a policy file takes and gives, and how it would be fed",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Say what inputs, outputs and metadata an ONNX file has; with a scenario or a "
                    "plant also how each input would be fed, how long an inference takes here, "
                    "and how many workers that takes. Nothing is started.")
    parser.add_argument("file", metavar="FILE", help="ONNX file, or the name of a bundled one")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--config", metavar="SCENARIO",
                       help="file or name of a scenario, whose plant or robot it is to control")
    where.add_argument("--plant", metavar="NAME", help="a plant instead")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; may be given again")
    parser.add_argument("--robot", metavar="CONTRACT",
                        help="of the robot that stands in the plant's place")
    parser.add_argument("--set", action="append", default=[], metavar="NODE.PARAMETER=VALUE",
                        dest="assignments", help="of the scenario")
    parser.add_argument("--stack", type=int, default=0, metavar="N",
                        help="observations joined for a file that does not say; 0: one (default)")
    parser.add_argument("--runs", type=int, default=50, metavar="N",
                        help="inferences that are timed (default: %(default)s)")
    parser.add_argument("--provider", default="auto", metavar="NAME",
                        help="auto, cpu, cuda or tensorrt (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of one inference")
    parser.add_argument("--batches", nargs="+", type=int, default=[], metavar="B",
                        help="time also runs that answer so many observations each, for "
                             "`realtime-rl plan --batch`")
    parser.add_argument("--json", metavar="FILE|-", help="write it as JSON")
    policy_options.add(parser)
    parser.set_defaults(main=main, outputs=("json",))


@dataclass(frozen=True, slots=True)
class _Tried:
    """A policy on a plant."""

    policy: OnnxPolicy
    plant: PlantSpec
    durations_ns: list[int]
    batches: dict[int, int]
    """Median duration of a run [ns], by the number of observations that it answers."""

    @property
    def workers(self) -> int:
        """That an action at every tick takes, by the times measured here."""
        return required_workers(self.durations_ns, self._setting)

    @property
    def delay(self) -> int:
        """Promised, by the same times [ticks]."""
        return promised_delay_ticks(representative_ns(self.durations_ns, self._setting),
                                    _HANDOVER_NS, self.plant.period_ns)

    @property
    def fewest(self) -> int:
        """Workers that leave no tick without an action; 0: no number does.

        With chunks these are fewer than act anew at every tick.
        """
        if not self.policy.horizon:
            return self.workers
        reach = self.policy.horizon + self.policy.first_offset - 1
        longest = reach - self.delay + 1
        return workers_needed(self.workers, longest) if longest > 0 else 0

    @property
    def _setting(self) -> Setting:
        return Setting(self.plant.period_ns, _HANDOVER_NS)


def main(args: argparse.Namespace) -> int:
    """Look into the file and print; errors are `RealtimeRlError`."""
    from realtime_rl.runner.prepare import find_policy

    if not 1 <= args.runs <= 100_000 or args.stack < 0:
        raise ConfigError(f"--runs {args.runs!r} must be 1 … 100000, --stack {args.stack!r} 0 or "
                          "more")
    policy_batches.check(args.batches, with_plant=args.config is not None or args.plant is not None)
    path = find_policy(args.file)
    graph = onnx_session.graph_of_file(path)
    plant, options, merge = _plant(args)
    tried = None
    if plant is not None:
        policy = OnnxPolicy.load(path, (plant.observation, plant.actions), Compute(
            args.provider, args.threads, batch=max(args.batches, default=1)), options=options)
        problem = prefix.problem(merge, takes=policy.takes_prefix)
        if problem:
            raise PolicyError(f"policy {str(path)!r} {problem}")
        tried = _Tried(policy, plant, _timed(policy, plant, args.runs),
                       policy_batches.timed(policy, _shown(policy, plant), args.batches, args.runs))
    put(args, strict_json.dumps(_document(path, graph, tried), indent=2) + "\n",
        "\n".join(_text(path, graph, tried)))
    return 0


def _plant(args: argparse.Namespace) -> tuple[PlantSpec | None, PolicyOptions, MergeRule]:
    """Return what is to be controlled, what is said of the policy, and how chunks are to meet.

    The last two are said here or by the scenario.
    """
    from realtime_rl.ros.scenario_settings import section_of
    from realtime_rl.runner.prepare import plant_and_settings

    if args.config is None:
        for option, given in (("--set", args.assignments), ("--robot", args.robot)):
            if given:
                raise ConfigError(f"{option}: is of a scenario; name it with --config")
    if args.plant is None and args.plant_option:
        raise ConfigError("--plant-option: needs --plant NAME")
    if args.plant is not None:
        spec = registry.spec(args.plant, args.plant_option, 0)
        return (spec, policy_options.of(args, stack=args.stack, period_ns=spec.period_ns),
                MergeRule.NEWEST)
    if args.config is None:
        return None, PolicyOptions(), MergeRule.NEWEST
    robot = [f"scenario.robot={args.robot}"] if args.robot else []
    spec, settings = plant_and_settings(args.config, [*args.assignments, *robot])
    config: InferenceParameters = section_of(settings, "inference")
    actuator: ActuatorParameters = section_of(settings, "actuator")
    here = policy_options.of(args, stack=args.stack, period_ns=spec.period_ns)
    given = {name: value for name, value in vars(here).items()
             if value != getattr(PolicyOptions(), name)}
    return spec, replace(of_parameters(config), **given), MergeRule.of(actuator.chunk_merge)


def _timed(policy: OnnxPolicy, plant: PlantSpec, runs: int) -> list[int]:
    """Time inferences one after another, on observations in the middle of their range [ns]."""
    seen, memory, found = _shown(policy, plant), policy.memory(), []
    end_ns = time.monotonic_ns() + round(_LONGEST_S * 1e9)
    for run in range(runs):
        begin_ns = time.monotonic_ns()
        policy.infer(*seen[:2], memory=memory, goal=seen.goal)
        found.append(time.monotonic_ns() - begin_ns)
        if run >= 4 and time.monotonic_ns() > end_ns:
            break
    return found


def _shown(policy: OnnxPolicy, plant: PlantSpec) -> Seen:
    goal = policy.goal
    return Seen(_middle(policy, plant), (plant.actions.noop,) * policy.action_history, None,
                None if goal is None else goal.example())


def _middle(policy: OnnxPolicy, plant: PlantSpec) -> Observation:
    parts = []
    for part in plant.observation.parts:
        low, high = (value if abs(value) < 1e30 else 0.0 for value in (part.low, part.high))
        parts.append(np.full(part.stacked_shape(policy.stack), round((low + high) / 2), part.dtype))
    return join(parts, names_of(plant.observation))


def _text(path: Path, graph: Graph, tried: _Tried | None) -> Iterator[str]:
    yield str(path)
    yield ""
    for what, tensors, used in (("input", graph.inputs, _use), ("output", graph.outputs, _meaning)):
        for each in tensors:
            yield f"{what:8}{each.name}  {each.type} {list(each.shape)}"
            yield from (f"{'':8}{line}" for line in used(each.name, tried))
    if graph.props:
        yield ""
        yield "metadata"
        yield from (f"{'':8}{key}  {policy_use.short(value)}"
                    for key, value in sorted(graph.props.items()))
    yield ""
    if tried is None:
        yield ("It was not compared with a plant: name a scenario (--config catch) or a plant "
               "(--plant NAME), to see how it would be fed.")
        return
    yield from _verdict(tried)


def _verdict(tried: _Tried) -> Iterator[str]:
    policy, plant = tried.policy, tried.plant
    unseen = [part.name for place, part in enumerate(plant.observation.parts)
              if place not in {each.place for each in policy.fitted.inputs}]
    yield from (f"note: {line}" for line in (*policy.warnings, policy.fallback) if line)
    yield from (f"note: it does not look at {name!r}" for name in unseen)
    median, p95 = _quantiles(tried.durations_ns)
    yield (f"inference here, on {policy.provider}, alone: median {number(median, 2)} ms, 95 % "
           f"within {number(p95, 2)} ms, of {len(tried.durations_ns)} runs")
    yield from policy_batches.text(tried.batches)
    if policy.recurrent:
        yield (f"{plant.name}: a tick every {plant.period_ns / 1e6:g} ms; the policy "
               f"{policy.recurrent}: 1 worker, more are refused"
               + ("" if tried.workers == 1 else f"; it would take {tried.workers} to act at every "
                  "tick, so it acts at every one of so many"))
    else:
        yield (f"{plant.name}: a tick every {plant.period_ns / 1e6:g} ms; workers for an action at "
               f"every tick: {tried.workers}")
    if policy.horizon:
        enough = (f"{tried.fewest} worker(s) leave no tick without an action, more buy fresher "
                  "feedback: `realtime-rl plan --chunk`" if tried.fewest else
                  "too short for any number of workers to leave no tick without an action")
        yield (f"a chunk is for {policy.horizon} ticks, from {policy.first_offset} after its "
               f"observation on, and acts {tried.delay} after it: {enough}")
    if policy.takes_prefix:
        yield policy_prefix.in_words(tried.delay, policy.max_prefix)


def _use(name: str, tried: _Tried | None) -> list[str]:
    return [] if tried is None else [policy_use.fed(name, tried.policy.fitted, tried.plant)]


def _meaning(name: str, tried: _Tried | None) -> list[str]:
    return [] if tried is None else [policy_use.meaning(name, tried.policy.fitted)]


def _quantiles(durations_ns: Sequence[int]) -> tuple[float, float]:
    """Median and 95th percentile [ms]."""
    return statistics.median(durations_ns) / 1e6, float(np.percentile(durations_ns, 95)) / 1e6


def _tensor(each: Tensor, **said: list[str]) -> dict[str, Any]:
    return {"name": each.name, "type": each.type, "shape": list(each.shape),
            **{key: next(iter(words), None) for key, words in said.items()}}


def _document(path: Path, graph: Graph, tried: _Tried | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": _SCHEMA, "file": str(path),
        "inputs": [_tensor(each, fed=_use(each.name, tried)) for each in graph.inputs],
        "outputs": [_tensor(each, use=_meaning(each.name, tried)) for each in graph.outputs],
        "metadata": dict(graph.props)}
    if tried is None:
        return {**document, "plant": None}
    policy = tried.policy
    median, p95 = _quantiles(tried.durations_ns)
    return {**document, "plant": tried.plant.name, "period_ms": tried.plant.period_ns / 1e6,
            "stack": policy.stack, "action_history": policy.action_history,
            "chunk": {"rows": policy.fitted.reading.horizon, "ticks": policy.horizon,
                      "first_tick": policy.first_offset} if policy.horizon else None,
            "recurrent": bool(policy.recurrent), "prefix": policy.takes_prefix,
            "max_prefix": policy.max_prefix or None,
            "warnings": [*policy.warnings], "provider": policy.provider,
            "duration_ms": {"median": median, "p95": p95, "n": len(tried.durations_ns)},
            "batch_ms": {str(size): took / 1e6 for size, took in tried.batches.items()},
            "promised_delay_ticks": tried.delay, "required_workers": tried.workers,
            "workers": 1 if policy.recurrent else tried.fewest}
