"""What `import realtime_rl` offers: the rooms' work in a function each.

Whatever needs a library that may be absent is imported where it is used.

Everything here raises `RealtimeRlError`s alone, each one line that says what is wrong, where, and
what to do: `ConfigError` for an argument, `PlantError`, `PolicyError`, `BagError`, and
`MissingDependencyError` where an optional library is not installed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.errors import ConfigError, MissingDependencyError, choices
from realtime_rl.plants.base import Plant

if TYPE_CHECKING:
    from realtime_rl.bags.reader import Run
    from realtime_rl.bench.planning import Plan
    from realtime_rl.core.figures.schema import RunFigures
    from realtime_rl.core.policy.options import PolicyOptions
    from realtime_rl.policies.onnx_policy import OnnxPolicy
    from realtime_rl.simulate.loop import Interaction, Policy, VirtualTick
    from realtime_rl.simulate.tally import Tally


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave."""

    policy: Path
    """The ONNX file with its metadata: for `load_policy`, `simulate_policy` and a live run."""
    figures: Tally
    """Returns and causes of the training itself, exploration included."""
    updates: int
    """Gradient updates."""


def plan_workers(
    latency: str, *, period_ms: float, workers: int | None = None, algorithm: str = "max_time",
    dealing: str = "pooled", processes: int = 1, handover_ms: float = 2.0, quantile: float = 0.95,
    target: float = 0.005
) -> Plan:
    """Say how many workers a model's inference time takes, and with which delay they act.

    Args:
        latency: inference time: `constant:95ms`, `normal:215ms,std=10ms`,
            `lognormal:215ms,cv=0.3` or `trace:FILE`; with `outliers=0.01x3`, `contention=0.15`.
        period_ms: of the plant's ticks [ms].
        workers: say also what so many would give (`Plan.given`).
        algorithm: `max_time`, `quantile_time` or `exp_time`, or one of the baselines `sequential`,
            `unstaggered` and `single_queue`.
        dealing: `pooled` or `fixed`; the baselines deal nothing, and do not look at it.
        processes: inference processes that share the workers.
        handover_ms: allowance for messages and scheduling [ms].
        quantile: `quantile_time`: share of the durations that the delay covers.
        target: share of the ticks that may lack a worker.

    Returns:
        `required_workers` (`None`: no number is enough), and the `prediction` with so many: mean
        `delay_ticks`, `promised_delay_ticks`, `inaction` as a share of the ticks.
    """
    from realtime_rl.bench.approaches import Approach
    from realtime_rl.bench.planning import Expectation, plan
    from realtime_rl.policies.latency import Latency

    _within("period_ms", period_ms, 1e-3, 1e9)
    _within("handover_ms", handover_ms, 0.0, 1e9)
    _within("processes", processes, 1, 4096)
    _within("workers", 1 if workers is None else workers, 1, 4096)
    _within("quantile", quantile, 0.0, 1.0)
    _within("target", target, 0.0, 1.0)
    for name, value, known in (("algorithm", algorithm, Algorithm.words()),
                               ("dealing", dealing, Dealing.words())):
        if value not in known:
            raise ConfigError(f"{name} {value!r} is not one of {choices(known)}")
    approach = Approach(Algorithm.of(algorithm), Dealing.of(dealing))
    expected = Expectation(Latency.parse(latency), round(period_ms * 1e6), round(handover_ms * 1e6),
                           quantile, processes, target)
    return plan(expected, approach, workers)


def make_plant(name: str, seed: int = 0, **options: object) -> Plant:
    """Make a plant by name: `counter`, `pyboy`, `gymnasium`, or one of another package's.

    Args:
        name: as `realtime-rl plants` lists them, with their options.
        seed: all of its randomness follows from it.
        options: the plant's, as `make_plant("pyboy", rom="catch", observe="memory")`.

    Returns:
        A plant; `close` it when it is done with. Its `spec` has the shape, dtype and range of its
        observations, its actions and its period [ns].
    """
    from realtime_rl.plants import registry

    return registry.make(name, options, seed)


def load_policy(path: str | Path, plant: Plant, *, stack: int = 0, threads: int = 1,
                provider: str = "auto", options: PolicyOptions | None = None) -> OnnxPolicy:
    """Load an ONNX policy, checked against a plant and warmed up.

    Args:
        path: of the file, from `train_policy` or from elsewhere.
        plant: whose observations it takes and whose actions it gives.
        stack: observations that a file without metadata takes; 0: one.
        threads: of one inference.
        provider: `auto`, `cpu`, `cuda` or `tensorrt`.
        options: what the file does not say itself, as `PolicyOptions(output="actions")`.

    Returns:
        What `simulate_policy` takes. By hand: `policy.act(policy.infer(observation))`, with an
        observation of shape `(policy.stack * C, …)`, newest last.
    """
    from realtime_rl.core.policy.options import PolicyOptions as Said
    from realtime_rl.files import user_path
    from realtime_rl.policies.compute import Compute
    from realtime_rl.policies.onnx_policy import OnnxPolicy

    spec = plant.spec
    said = replace(options or Said(), period_ns=spec.period_ns)
    return OnnxPolicy.load(user_path(str(path)), (spec.observation, spec.actions),
                           Compute(provider, threads), stack=stack, options=said)


def simulate_policy(
    plant: Plant, policy: OnnxPolicy | Policy | str | Path, *, delay: int = 1,
    interaction: Interaction = "asynchronous", ticks: int = 36_000, stack: int = 1,
    default: str = "noop", seed: int = 0, hold_ticks: int = 1,
    on_tick: Callable[[VirtualTick], None] | None = None
) -> Tally:
    """Play in virtual time: the action of observation `k` acts at tick `k + delay`.

    Args:
        plant: is reset first, and left open.
        policy: from `load_policy`, the path of an ONNX file, `random`, `default` (the default
            policy alone), or a function `(tick, observation) -> action`, where an action is
            `(index,)` or a value for each dimension. What is odd about a file is a Python warning.
        delay: from observation to action [ticks], 1 or more; 1: the world seems to wait.
        interaction: `asynchronous`: an inference at every tick; `sequential`: one after another.
        ticks: how many.
        stack: observations joined for a function, shape `(stack * C, …)`; files say it themselves.
        default: what acts on ticks without an action: `noop`, `repeat_last` or `random`.
        seed: of chance, where `random` plays; the plant has its own.
        hold_ticks: for how long a random action is held [ticks].
        on_tick: called after each tick with its `tick`, `cause`, `action`, `observation`,
            `reward`, `discount`, `first` and `last`.

    Returns:
        `returns` of the episodes that ended, `reward_per_tick`, `inaction_fraction`, `interval()`.
    """
    from realtime_rl.core.control import default_policy
    from realtime_rl.core.experience.action_history import ActionHistory
    from realtime_rl.simulate import players
    from realtime_rl.simulate.loop import Delay
    from realtime_rl.simulate.tally import play

    _within("ticks", ticks, 1, math.inf)
    spec = plant.spec
    if isinstance(policy, str | Path):
        player = players.load(str(policy), hold_ticks, spec, warn=warnings.warn)(seed)
    elif callable(policy):
        player = players.Player(policy, stack, ActionHistory(0))
    else:
        player = players.of_policy(policy, hold_ticks, spec)(seed)
    plant.reset()
    loop = player.loop(plant, Delay(delay, interaction),
                       default_policy.make(default, spec.actions, seed=seed))
    return play(loop, ticks, on_tick)


def train_policy(
    plant: Plant, out: str | Path, *, delay: int = 1, interaction: Interaction = "asynchronous",
    ticks: int = 40_000, seed: int = 0, learner: Mapping[str, object] | None = None,
    updates_per_tick: float = 1.0, threads: int = 1, resume: bool = False,
    on_tick: Callable[[int, float], None] = lambda tick, loss: None
) -> Trained:
    """Learn a policy in virtual time; the same arguments give the same weights, bit for bit.

    Args:
        plant: fresh, with discrete actions; is left open.
        out: folder of the policy, the returns and the checkpoints.
        delay: from observation to action [ticks], 1 or more.
        interaction: `asynchronous` or `sequential`, as in `simulate_policy`.
        ticks: how many.
        seed: of the learner; the plant has its own.
        learner: parameters of the learner: `{"network": "mlp", "learn_start": 500}`.
        updates_per_tick: gradient updates.
        threads: torch's; another number rounds otherwise.
        resume: go on from the checkpoint in `out`, where there is one.
        on_tick: called after each tick with its number and the newest loss (NaN before the first).

    Returns:
        Where the policy is, and how the training went.
    """
    try:
        from realtime_rl.learning import torch_process
        from realtime_rl.simulate.training_run import POLICY, Plan, Settings, run
    except ImportError as error:
        raise MissingDependencyError(error.name or "torch", "learn", error) from error
    from realtime_rl.core.settings.config import build
    from realtime_rl.core.settings.dqn_config import DqnConfig
    from realtime_rl.files import user_path
    from realtime_rl.simulate.loop import Delay

    _within("threads", threads, 1, 4096)
    _within("updates_per_tick", updates_per_tick, 0.0, 1e6)
    settings = Settings(plant.spec.name, {}, Delay(delay, interaction),
                        build(DqnConfig, {"seed": seed, **(learner or {})}), seed,
                        updates_per_tick, threads)
    torch_process.prepare(threads)
    folder = user_path(str(out))
    training = run(settings, Plan(ticks, resume=resume, progress=lambda training: on_tick(
        training.tick - 1, training.loss)), plant, folder)
    return Trained(folder / POLICY, training.figures, training.learner.updates)


def read_bag(path: str | Path, namespace: str | None = None) -> Run:
    """Read a recorded run, whole or cut off.

    Args:
        path: a rosbag2 folder, or one MCAP or SQLite file.
        namespace: whose topics, where the bag holds several robots'.

    Returns:
        `records.timesteps` has a record a tick: who acted (`cause`), with what (`action`), on which
        observation (`observation_tick`). `warnings` says what could not be read.
    """
    from realtime_rl.bags.reader import read_run
    from realtime_rl.files import user_path

    return read_run(user_path(str(path)), namespace)


def report_bag(path: str | Path, namespace: str | None = None, *, skip_s: float = 0.0
               ) -> RunFigures:
    """Account for a recorded run: the figures of `realtime-rl report --json`.

    Args:
        path: as in `read_bag`.
        namespace: as in `read_bag`.
        skip_s: leave out the first seconds, in which the schedule is being found.

    Returns:
        A dictionary: `["interaction"]["inaction_fraction"]`, `["plant"]["rate_hz"]` and so on.
    """
    from realtime_rl.bags.report import make_report
    from realtime_rl.files import user_path

    _within("skip_s", skip_s, 0.0, 1e6)
    return make_report(user_path(str(path)), namespace, skip_s=skip_s).figures


def _within(name: str, value: float, low: float, high: float) -> None:
    """Refuse an argument outside its range."""
    if not low <= value <= high:
        raise ConfigError(f"{name} {value!r} is outside {low:g} … {high:g}")
