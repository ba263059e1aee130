"""Parameters of an `inference` node, and the schedule that nine of them are."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.enumerations import Algorithm, Dealing, MergeRule, SlotSource
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.ranges import MOST_DELAY_TICKS, MOST_GENERATION
from realtime_rl.core.policy.options import AS_SAID, PolicyOptions
from realtime_rl.core.policy.said import LAYOUTS
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings.config import Value, choice, parameter
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.settings.parameters import SpecParameters

PROVIDERS = ("auto", "cpu", "cuda", "tensorrt")


@dataclass(frozen=True)
class InferenceParameters(SpecParameters):
    """Parameters of an `inference` node."""

    workers: int = parameter(1, "workers of the whole graph", low=1, high=4096)
    processes: int = parameter(1, "inference processes of the whole graph", low=1, high=256)
    process: int = parameter(0, "which of them this is: it hosts every `processes`-th worker",
                             low=0)
    policy: str = parameter("", "ONNX file or `file:///…#sha256=…` to start from", path=True)
    policy_root: str = parameter(
        "", "folder from which policies are taken that anybody announces; empty: that of `policy`. "
        "`realtime-rl run` and the launch file fill in where the learner exports", path=True)
    stack: int = parameter(
        0, "observations joined for a policy without metadata, which does not say; 0: it takes "
        "one", unit="ticks", low=0, high=64)
    policy_inputs: tuple[str, ...] = parameter(
        (), "part of the observation that an input of the policy takes, where names do not tell: "
        "`observation.state=state`; `hx=output:hy`: a state that an output gives back")
    policy_output: str = parameter(
        "", "output of the policy that acts, where several could, and what it is where that is "
        "not plain: `actions`, `gaussian_tanh`, `mean gaussian_tanh`")
    policy_normalize: tuple[str, ...] = parameter(
        (), "what the policy's values are of the plant's, `(x * scale - mean) / std`: `front "
        "scale=1/255 mean=0.5 std=0.25`; of what it gives `action scale=0.25 offset=0.1`, or its "
        "`mean` and `std`")
    policy_layout: str = parameter(
        AS_SAID, "axes of pictures that the policy takes; `auto`: as it says, else `nchw`",
        choices=(AS_SAID, *LAYOUTS))
    policy_constants: tuple[str, ...] = parameter(
        (), "inputs that are fed with the same values whatever is seen: `command=0.1,0.2`, "
        "`instruction=tokens.npy`")
    policy_goal: str = parameter(
        "", "input of the policy that takes the newest values of the topic `goal`: `goal`; before "
        "the first ones come it does not act, or takes those that are given: `goal=0.1,0.2`")
    policy_descriptors: str = parameter(
        "", "Isaac Lab's `IO_descriptors.yaml` of the policy", path=True)
    policy_foreign: bool = parameter(
        True, "whether metadata that exploy and mjlab write count")
    chunk_first_tick: int = parameter(
        -1, "tick after its observation's that the first row of a chunk is meant for; -1: as the "
        "metadata say, else 1", unit="ticks", low=-1, high=1)
    chunk_period: float = parameter(
        0.0, "between the rows of a chunk; 0: as the metadata say, else the plant's period",
        unit="s", low=0.0, high=60.0)
    chunk_merge: str = choice(
        MergeRule.NEWEST, "how the actuator has chunks meet; `realtime-rl run` and the launch file "
        "fill in `actuator.chunk_merge`")
    policy_size_limit: float = parameter(
        8.0, "a policy's files may have so much together", unit="GB", low=0.0, high=1e6)
    load_limit: float = parameter(
        60.0, "a policy that is not ready so long after its loading began is given up; a provider "
        "that compiles needs longer", unit="s", low=0.1, high=86_400.0)
    slot_limit: float = parameter(
        0.0, "an inference that computes for longer hangs: it counts as failed, and other workers "
        "take over; 0: four times what it took alone, times the workers, and 2 s at least",
        unit="s", low=0.0, high=86_400.0)
    provider: str = parameter("auto", "ONNX Runtime execution provider", choices=PROVIDERS)
    threads: int = parameter(1, "ONNX Runtime threads of one inference", low=1, high=256)
    sessions: int = parameter(
        1, "ONNX Runtime sessions of a process, which its workers share; each holds the weights",
        low=1, high=64)
    refit: bool = parameter(
        False, "whether a new version with the same graph takes over the session and brings its "
        "weights only; they are inputs of the graph then, which makes inferences slower on a CPU")
    batch: int = parameter(
        1, "most observations that one run answers: those of so many ticks, which wait for the "
        "last; 1: each has a run of its own", low=1, high=1024)
    cuda_graph: bool = parameter(
        False, "whether a GPU's run is recorded once and replayed; each worker has a session and "
        "a thread of its own then")
    tensorrt_cache: str = parameter(
        "", "folder where TensorRT keeps what it compiled, for the next run with the same weights",
        path=True)
    tensorrt_fp16: bool = parameter(False, "whether TensorRT may compute in half precision")
    latency: str = parameter(
        "none", "emulated accelerator: `none`, `constant:95ms`, `normal:215ms,std=10ms`, "
        "`lognormal:215ms,cv=0.05`, `trace:FILE`; each with `,outliers=0.01x3` or "
        "`,contention=0.1`")
    seed: int = parameter(0, "seed of exploration and of emulated latencies", low=0)
    exploration: str = parameter(
        OFF, "whether actions explore: `learner` (as much as the policy file says that its learner "
        "wants), `off`, or a share of the time from 0 to 1; `realtime-rl run` and the launch file "
        "fill in `learner` where the scenario has one", plain=(OFF, "on"))
    exploration_hold: int = parameter(
        DqnConfig.hold_ticks, "an exploring action is held for so many ticks; `realtime-rl run` "
        "and the launch file fill in `learner.hold_ticks`", unit="ticks", low=1)
    alive_lease: float = parameter(
        0.15, "a process that was silent for so long counts as dead or hung", unit="s",
        low=0.02, high=60.0)
    autostart: bool = parameter(True, "configure and activate by itself")
    learning_order: str = parameter(
        "none", "`sequential`: learn within the cycle, and when",
        choices=("none", "after", "before"))
    learning_time: float = parameter(
        0.0, "`sequential`: how long that takes, emulated", unit="s", low=0.0, high=3600.0)
    timer_phase: float = parameter(
        0.003, "`slot_source: timer`: how long after a tick is heard of its slot starts",
        unit="s", low=0.0, high=1.0)
    schedule_generation: int = parameter(
        0, "set by the coordinator", low=0, high=MOST_GENERATION, live=True)
    schedule_effective_tick: int = parameter(
        0, "set by the coordinator: tick from which the schedule holds", unit="ticks", low=0,
        high=ranges.EXACT, live=True)
    schedule_active: tuple[int, ...] = parameter(
        (), "set by the coordinator: active workers in dealing order; empty: all", live=True)
    schedule_delay: int = parameter(
        1, "set by the coordinator: promised delay D", unit="ticks", low=1,
        high=MOST_DELAY_TICKS, live=True)
    schedule_cycle: int = parameter(
        1, "set by the coordinator: ticks in which each active worker has one slot", unit="ticks",
        low=1, high=MOST_DELAY_TICKS, live=True)
    schedule_hold_ns: int = parameter(
        0, "set by the coordinator: how long after its slot began an action leaves", unit="ns",
        low=0, high=round(ranges.HOUR_S * 1e9), live=True)
    schedule_algorithm: str = choice(
        Algorithm.MAX_TIME, "set by the coordinator: set its `algorithm`", live=True)
    schedule_dealing: str = choice(
        Dealing.POOLED, "set by the coordinator: set its `dealing`", live=True)
    schedule_slot_source: str = choice(
        SlotSource.TICK, "set by the coordinator: set its `slot_source`", live=True)

    def __post_init__(self) -> None:
        """Refuse a process that is not among the processes, and workers that do not exist."""
        Exploration.parse(self.exploration)
        if self.process >= self.processes:
            raise ConfigError(f"process: {self.process!r} must be below processes "
                              f"{self.processes!r}")
        strangers = [w for w in self.schedule_active if not 0 <= w < self.workers]
        if strangers or len(set(self.schedule_active)) != len(self.schedule_active):
            raise ConfigError(f"schedule_active: {list(self.schedule_active)!r} must be distinct "
                              f"ids from 0 to {self.workers - 1}")


def policy_options(config: InferenceParameters) -> PolicyOptions:
    """Return what the parameters say of the policy beside what it says itself."""
    return PolicyOptions(
        config.policy_inputs, config.policy_output, config.policy_normalize, config.policy_layout,
        config.policy_constants, config.policy_goal, config.policy_descriptors,
        config.policy_foreign, config.chunk_first_tick, round(config.chunk_period * 1e9),
        config.stack, config.period_ns)


def schedule_of(config: InferenceParameters) -> Schedule:
    """Return the schedule that a node's parameters say."""
    return Schedule(
        config.schedule_active or tuple(range(config.workers)), config.period_ns,
        config.schedule_generation, config.schedule_effective_tick, config.schedule_delay,
        config.schedule_hold_ns, Algorithm.of(config.schedule_algorithm),
        Dealing.of(config.schedule_dealing), SlotSource.of(config.schedule_slot_source),
        config.schedule_cycle)


def schedule_parameters(schedule: Schedule) -> dict[str, Value]:
    """Return the parameters that say a schedule, by name."""
    return {
        "schedule_generation": schedule.generation,
        "schedule_effective_tick": schedule.effective_tick,
        "schedule_active": schedule.active,
        "schedule_delay": schedule.promised_delay_ticks,
        "schedule_cycle": schedule.cycle,
        "schedule_hold_ns": schedule.hold_ns,
        "schedule_algorithm": schedule.algorithm.word,
        "schedule_dealing": schedule.dealing.word,
        "schedule_slot_source": schedule.slot_source.word}
