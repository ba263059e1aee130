"""One inference process without its topics: the policy in use, the engine, and how both begin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from realtime_rl.core import observations
from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import ConfigError, PolicyError
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.policy.goals import TOPIC
from realtime_rl.core.schedule.stagger import Schedule, workers_of_process
from realtime_rl.core.settings.inference import InferenceParameters, policy_options
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.compute_threads import NAME
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.hot_swap import LOAD, HotSwap, Swap
from realtime_rl.policies.inference_engine import InferenceEngine
from realtime_rl.policies.latency import Latency, NoLatency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_files import Limits
from realtime_rl.policies.policy_loader import Loader

_SHORT_NS = 2_000_000
"""An inference that computes for less here holds nobody up."""


class Log(Protocol):
    """Where to say things; any thread may."""

    def info(self, message: str) -> object:
        """Say what happens."""

    def warning(self, message: str) -> object:
        """Say what is odd."""

    def error(self, message: str) -> object:
        """Say what is wrong."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host needs of the process around it."""

    node: str
    log: Log
    wake: Callable[[], None]
    """A result is there that nobody comes for."""
    ordinary: Callable[..., None] = lambda *, short: None
    """Gives the calling thread the priority of what computes, `short` or not."""
    background: Callable[[], None] = lambda: None
    """Gives it that of what must not disturb what computes."""


class InferenceHost:
    """Opens and closes policy and engine, any number of times; nothing is there before or after."""

    def __init__(self, config: InferenceParameters, around: Surroundings) -> None:
        """Check what `config` says; `ConfigError` where it cannot be."""
        self._config = config
        self._around = around
        self.observation = observations.parse(config.observation)
        self.actions = ActionSpace.parse(config.actions)
        self.workers = workers_of_process(config.process, config.processes, config.workers)
        self._latency = Latency.parse(config.latency)
        self._compute = _compute(config, len(self.workers), self._latency)
        self._exploration = Exploration.parse(config.exploration)
        self._own = _uri(config.policy) if config.policy else ""
        self._announced = self._used = ""
        """The newest announced, as long as it was not refused, and the newest in use."""
        self.failure = "the node could not be configured"
        """Why there is no policy, as far as it was tried."""
        self.engine: InferenceEngine | None = None
        self._policies: HotSwap[OnnxPolicy] | None = None
        self._goal: NDArray[Any] | None = None

    def open(self, schedule: Schedule, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Load the newest policy announced, else the one to start from; return whether one acts.

        Where neither is known it is waited for. Nothing is open after a failure.

        Args:
            schedule: to begin with.
            given_up: asked while a policy is loaded: whether to leave off.
        """
        self.close()
        config, around = self._config, self._around
        limits = Limits(self._root(), round(config.policy_size_limit * 1e9),
                        self._compute.sessions)
        loader = Loader((self.observation, self.actions), self._compute,
                        options=policy_options(config), limits=limits, own=self._own,
                        workers=config.workers, merge=MergeRule.of(config.chunk_merge),
                        in_use=self._in_use)
        self._policies = policies = HotSwap(
            loader, time.monotonic_ns, on_swap=self._on_swap, on_failure=self._on_failure,
            on_trouble=self._on_trouble, prepare_thread=self._prepare_loading,
            limit_s=config.load_limit)
        self.engine = InferenceEngine(
            EngineConfig(around.node, self.workers, self.actions, self._latency, config.seed,
                         config.exploration_hold, self._exploration,
                         round(config.slot_limit * 1e9), config.learning_order,
                         round(config.learning_time * 1e9), self._compute.batch,
                         self._compute.cuda_graph),
            schedule, policies, around.wake, prepare_thread=self._prepare_computing,
            on_trouble=self._on_trouble)
        if self._goal is not None:
            self.engine.aim(self._goal)
        self._say_what_is_in_force()
        wanted = [uri for uri in dict.fromkeys((self._announced, self._own)) if uri]
        for uri in wanted:
            policies.request(uri, time.monotonic_ns())
            policies.wait_idle(given_up=given_up)
            if policies.current is not None or given_up():
                break
        if wanted and policies.current is None:
            self.close()
        return self.engine is not None

    def close(self) -> None:
        """Let go of policy and engine; what is under way is dropped."""
        engine, policies = self.engine, self._policies
        self.engine = self._policies = None
        hanging = (0 if engine is None else engine.close()) \
            + (0 if policies is None else policies.close())
        if hanging:
            self._around.log.error(f"{hanging} thread(s) hang in a policy and are left behind")

    def announce(self, uri: str) -> None:
        """Take up a policy; without an engine it is remembered."""
        self._announced = uri
        if self._policies is not None:
            self._policies.request(uri, time.monotonic_ns())

    def aim(self, goal: NDArray[Any]) -> str:
        """Take up a goal; return why not, or nothing. The one before stays then."""
        problem = "" if self.engine is None else self.engine.aim(goal)
        self._goal = self._goal if problem else goal
        return problem

    def _in_use(self) -> OnnxPolicy | None:
        current = None if self._policies is None else self._policies.current
        return None if current is None else current.policy

    def _root(self) -> Path | None:
        if self._config.policy_root:
            return Path(self._config.policy_root)
        if not self._own:
            return None
        try:
            return PolicyUri.parse(self._own).path.parent
        except PolicyError:  # said when it is loaded
            return None

    def _prepare_computing(self) -> None:
        current = None if self._policies is None else self._policies.current
        self._around.ordinary(short=current is not None and current.policy.alone_ns < _SHORT_NS)

    def _prepare_loading(self) -> None:
        self._around.ordinary(short=False)
        later = self._policies is not None and self._policies.current is not None
        if later and self._config.threads == 1:  # more of them would inherit this priority
            # it is made beside inference, which must not wait for that
            self._around.background()

    def _say_what_is_in_force(self) -> None:
        log = self._around.log
        log.info(f"exploration: {self._exploration}")
        if not isinstance(self._latency, NoLatency):
            log.warning(f"EMULATED accelerator: every result is held until {self._latency} has "
                        "passed")

    def _on_swap(self, swap: Swap[OnnxPolicy]) -> None:
        policy, log = swap.policy, self._around.log
        self._used = swap.uri
        took_ms = (swap.ready_ns - swap.announced_ns) / 1e6
        epsilon = self._exploration.epsilon(policy.epsilon)
        log.info(f"policy version {policy.version} on {policy.provider}, ready after "
                 f"{took_ms:.0f} ms, exploring with ε {epsilon:g} ({self._exploration})")
        goal = policy.goal
        if goal is not None and goal.start is None and self._goal is None:
            log.warning(f"the policy does not act before a goal of {goal.size} value(s) comes on "
                        f"'{TOPIC}', for its input {goal.input.name!r}")
        for warning in (*policy.warnings, policy.fallback):
            if warning:
                log.warning(warning)

    def _on_trouble(self, text: str) -> None:
        self._around.log.warning(text)

    def _on_failure(self, uri: str, error: str) -> None:
        self.failure = error
        if uri == self._announced:
            self._announced = self._used
        kept = self._policies.current if self._policies is not None else None
        keeps = f"version {kept.policy.version} stays" if kept else "there is none to fall back on"
        self._around.log.error(f"policy refused, {keeps}: {error}")


def threads_hang() -> bool:
    """Whether a thread is left that hangs in a policy: the process must then end without it."""
    return any(thread.name in (NAME, LOAD) for thread in threading.enumerate())


def _compute(config: InferenceParameters, workers: int, latency: Latency) -> Compute:
    """Return what is asked of a backend with so many workers; `ConfigError` where it cannot be."""
    batch = config.batch
    if batch > 1 and batch > workers:
        raise ConfigError(f"batch: {batch!r} observations wait in as many workers, and the process "
                          f"has {workers}: set scenario.workers={batch} or a smaller batch")
    if batch > 1 and config.processes > 1:
        raise ConfigError(f"batch: {batch!r} observations of one process, which has every tick; "
                          f"set scenario.processes=1 instead of {config.processes}")
    if batch > 1 and not isinstance(latency, NoLatency):
        raise ConfigError(f"batch: how long {batch!r} observations in one run take is not "
                          f"emulated; set latency=none instead of {config.latency!r}")
    return Compute(config.provider, config.threads,
                   workers if config.cuda_graph else config.sessions, config.refit,
                   config.cuda_graph, config.tensorrt_cache, config.tensorrt_fp16, batch)


def _uri(policy: str) -> str:
    return policy if "://" in policy else str(PolicyUri(Path(policy).resolve()))
