"""Every node's parameters: the one place from which ROS, the checks and the README take them."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.control.gamepad_axes import AUTO
from realtime_rl.core.control.joystick import DEADZONE
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names, ranges
from realtime_rl.core.messages.ranges import MOST_DELAY_TICKS, MOST_GENERATION
from realtime_rl.core.settings.config import parameter
from realtime_rl.core.settings.dqn_config import DqnConfig

ALGORITHMS = ("max_time", "exp_time", "quantile_time",
              "sequential", "unstaggered", "single_queue")
SIZINGS = ("fixed", "auto")
DEALINGS = ("pooled", "fixed")
SLOT_SOURCES = ("tick", "timer")
NODES = ("actuator", "coordinator", "inference", "learner", "monitor", "plant", "recorder")
PROVIDERS = ("auto", "cpu", "cuda", "tensorrt")
COMMAND_TYPES = ("joy", "twist", "joint_trajectory", "joint_state", "float64_multi_array")
_GAME_BOY_PERIOD_NS = 16_742_706
_LAYOUT = (
    "where each label sits on a gamepad (`Joy`): `A=0 LEFT=axis6+`; of continuous actions "
    "`vx=axis1+` (full travel gives the limit), `wz=axis0*0.8` (so much more or less than the "
    "no-op) or `vy=none`; with `@1` behind it for an axis that rests at 1, as triggers do. `auto`: "
    "as an Xbox pad has it, or one button a label; `vx` and `wz` on the left stick")


@dataclass(frozen=True)
class Scenario:
    """What concerns a run as a whole; stands under `scenario: ros__parameters:`."""

    workers: int = parameter(
        4, "staggered inference workers, over all processes; `auto` in a file or on the "
        "command line: as many as required, of 64 (`coordinator.sizing`)", low=1, high=4096)
    processes: int = parameter(1, "inference processes that share the workers", low=1, high=256)
    policy: str = parameter(
        "", "what to start from, and to learn on from: an ONNX file, or the name of a bundled one "
        "(`catch`); empty: an untrained one is made from the learner's seed. What a file says is "
        "left out where `plant.name` or `plant.options` are set on the command line", path=True)
    learner: bool = parameter(True, "whether a learner improves the policy while it plays")
    record: str = parameter(
        "", "new folder to record a bag into; `true`: a name with the date; empty or `false`: do "
        "not record", plain=("", "true"), path=True)
    duration: float = parameter(
        0.0, "end by itself after so long; 0: run until stopped", unit="s", low=0.0)
    respawn: bool = parameter(True, "start a node again when it dies")
    namespace: str = parameter("", "ROS namespace of the whole graph: one a robot")
    allow_second: bool = parameter(
        False, "start although another graph of this namespace is running in the ROS domain: each "
        "takes the other's messages for its own")
    run_dir: str = parameter(
        "", "folder for exported policies; empty: beside the bag, or a temporary one", path=True)

    composed: bool = parameter(
        False, "whether plant, inference and actuator share one process, and coordinator, monitor "
        "and recorder another: a third of the CPU time, for rates from some 200 Hz on; one that "
        "dies takes the others of its process with it")
    nodes: tuple[str, ...] = parameter(
        (), "only these nodes start here, the others on another host; empty: all")

    def __post_init__(self) -> None:
        """Refuse combinations that cannot run."""
        problem = names.namespace_problem(self.namespace)
        if problem is not None:
            raise ConfigError(f"namespace: {problem}")
        for name in self.nodes:
            if name not in NODES:
                raise ConfigError(f"nodes: {name!r} is not one of {choices(NODES)}")
        if self.composed and self.processes > 1:
            raise ConfigError(f"composed: one inference process shares the plant's, and processes "
                              f"is {self.processes!r}: set one of them")
        if self.processes > self.workers:
            raise ConfigError(f"processes: {self.processes!r} exceeds workers {self.workers!r}")


@dataclass(frozen=True)
class PlantParameters:
    """Parameters of the `plant` node."""

    name: str = parameter("pyboy", "plant, by its name in the group `realtime_rl.plants`")
    options: tuple[str, ...] = parameter(
        (), "options of the plant as `key=value`; `realtime-rl plants` lists them")
    seed: int = parameter(0, "seed of the plant's randomness", low=0)
    command_type: str = parameter("joy", "message type of `command`", choices=COMMAND_TYPES)
    gamepad_layout: str = parameter(AUTO, _LAYOUT)
    allow_second: bool = parameter(
        False, "tick although another node publishes `timestep`; `realtime-rl run` and the launch "
        "file fill in `scenario.allow_second`")


@dataclass(frozen=True)
class SpecParameters:
    """What a node must know of the plant; `realtime-rl run` and the launch file fill it in."""

    period_ns: int = parameter(_GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    actions: str = parameter(
        "LEFT RIGHT NOOP = NOOP",
        "action space: labels or `name:low:high`, then `=` and the no-op action")
    observation: str = parameter(
        "uint8[1,84,84] 0:255", "observation: dtype, shape and range of values")


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
    schedule_algorithm: str = parameter(
        "max_time", "set by the coordinator: set its `algorithm`", choices=ALGORITHMS, live=True)
    schedule_dealing: str = parameter(
        "pooled", "set by the coordinator: set its `dealing`", choices=DEALINGS, live=True)
    schedule_slot_source: str = parameter(
        "tick", "set by the coordinator: set its `slot_source`", choices=SLOT_SOURCES, live=True)

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


@dataclass(frozen=True)
class CoordinatorParameters:
    """Parameters of the `coordinator` node."""

    inference_nodes: tuple[str, ...] = parameter(
        ("inference_0",), "names of the inference nodes, in order of their `process`")
    workers: int = parameter(1, "workers of the whole graph", low=1, high=4096)
    period_ns: int = parameter(_GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    algorithm: str = parameter(
        "max_time", "when a finished action leaves: held for an even stream, at once, or held "
        "until a quantile; the last three are baselines",
        choices=ALGORITHMS, live=True)
    dealing: str = parameter(
        "pooled", "which worker of a process takes a slot: any idle one, or the next in turn",
        choices=DEALINGS, live=True)
    slot_source: str = parameter(
        "tick", "what starts a slot: the observation's arrival, or a staggered timer a worker",
        choices=SLOT_SOURCES, live=True)
    quantile: float = parameter(
        0.95, "`quantile_time`: share of the durations that the promised delay covers",
        low=0.0, high=1.0, live=True)
    sizing: str = parameter(
        "fixed", "`auto`: as many workers are active as the measured durations require, the "
        "others stand by", choices=SIZINGS, live=True)
    min_workers: int = parameter(1, "`auto`: at least so many", low=1, high=4096, live=True)
    max_workers: int = parameter(4096, "`auto`: at most so many", low=1, high=4096, live=True)
    headroom: int = parameter(1, "`auto`: workers more than required", low=0, high=4096, live=True)
    target_inaction: float = parameter(
        0.005, "share of the ticks that may lack a worker when N* is worked out",
        low=0.0, high=1.0, live=True)
    handover: float = parameter(
        0.002, "allowance for messages and wake-ups in D: so much at least", unit="s", low=0.0,
        high=1.0)
    handover_max: float = parameter(
        0.05, "and so much at most, where the actions held for D are measured to need it",
        unit="s", low=0.0, high=1.0)
    delay_max: float = parameter(
        15.0, "D is no longer than this, whatever the inferences take: what the paper's largest "
        "network takes (12.6 s), and less than `actuator.max_delay_ticks` of a Game Boy (17 s)",
        unit="s", low=0.001, high=3600.0)
    max_delay_ticks: int = parameter(
        1024, "nor than so many ticks; `realtime-rl run` and the launch file fill in "
        "`actuator.max_delay_ticks`, as actions that are older are refused", unit="ticks", low=1)
    lead: float = parameter(
        0.05, "a new schedule begins so long ahead, so that every process knows it by then",
        unit="s", low=0.0, high=10.0)
    window: int = parameter(1024, "inference durations that T rests on", low=2, high=100_000)
    warmup: int = parameter(2, "first durations of each process that are left out", low=0)
    alive_lease: float = parameter(
        0.15, "an inference process that was silent for so long counts as dead or hung (at least "
        "the lease that it offers)", unit="s", low=0.02, high=60.0)
    evaluate_period: float = parameter(
        0.1, "how often the schedule is looked at", unit="s", low=0.01, high=10.0)

    def __post_init__(self) -> None:
        """Refuse names of nodes that cannot be, and a minimum above the maximum."""
        for problem in filter(None, map(names.node_problem, self.inference_nodes)):
            raise ConfigError(f"inference_nodes: {problem}")
        if self.handover > self.handover_max:
            raise ConfigError(f"handover: {self.handover!r} exceeds handover_max "
                              f"{self.handover_max!r}")
        if self.min_workers > self.max_workers:
            raise ConfigError(f"min_workers: {self.min_workers!r} exceeds max_workers "
                              f"{self.max_workers!r}")


@dataclass(frozen=True)
class ActuatorParameters(SpecParameters):
    """Parameters of the `actuator` node."""

    command_type: str = parameter("joy", "message type of `command`", choices=COMMAND_TYPES)
    command_frame: str = parameter("", "`header.frame_id` of a robot's command, as `base_link`")
    gamepad_layout: str = parameter(AUTO, _LAYOUT)
    workers: int = parameter(
        0, "workers of the whole graph, whose actions are taken; `realtime-rl run` and the launch "
        "file fill it in; 0: of any", low=0, high=4096)
    stop_file: str = parameter(
        "", "file that remembers a stop, so that an actuator that is started again is still "
        "stopped; `realtime-rl run` and the launch file put it beside the policies; empty: "
        "`ROS_HOME/realtime_rl/`, by domain and name of the node", path=True)
    default_policy: str = parameter(
        "noop", "what acts when no action arrives", choices=default_policy.NAMES)
    default_action: str = parameter(
        "", "for `constant`: an action's label, or its values separated by spaces")
    seed: int = parameter(0, "seed of the `random` default policy", low=0)
    max_delay_ticks: int = parameter(
        1024, "actions on older observations are stale", unit="ticks", low=1)
    deadline_margin: float = parameter(
        0.004, "the default policy steps in so long before a tick that has no action; an action "
        "that still comes in time replaces it. At most three quarters of the period, and what "
        "leaves 2 ms of it: more is clamped, and said", unit="s", low=0.0, high=1.0)
    operator_timeout: float = parameter(
        0.5, "a person's last input keeps the policy out for so long", unit="s", low=0.0)
    operator_button: int = parameter(
        -1, "button that a person must hold to take over (deadman); -1: any input takes over, but "
        "of a robot's operator, with a `command_type` other than `joy`, nothing is taken", low=-1)
    operator_deadzone: float = parameter(
        DEADZONE, "continuous actions: share of an axis' travel, around where it rests, that "
        "counts as at rest", low=0.0, high=0.9)

    def __post_init__(self) -> None:
        """Refuse a frame that is none."""
        problem = names.frame_problem(self.command_frame) if self.command_frame else None
        if problem is not None:
            raise ConfigError(f"command_frame: {problem}")


@dataclass(frozen=True)
class MonitorParameters:
    """Parameters of the `monitor` node."""

    window: float = parameter(10.0, "figures are of the last so many seconds", unit="s", low=1.0)
    period_ns: int = parameter(_GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    workers: int = parameter(1, "workers of the whole graph", low=1, high=4096)


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the `recorder` node."""

    bag: str = parameter("", "folder of the bag; must not exist", path=True)
    observations: bool = parameter(True, "record `observation` as well")


@dataclass(frozen=True)
class LearnerParameters(DqnConfig, SpecParameters):
    """Parameters of the `learner` node."""

    run_dir: str = parameter(
        "", "folder for exported policies; empty: the working directory", path=True)
    policy: str = parameter("", "ONNX file to start from when `run_dir` has none", path=True)
    export_interval: float = parameter(
        10.0, "between exported policies", unit="s", low=0.1, high=86_400.0)
    keep: int = parameter(5, "exported policies that are kept", low=1)
    updates_per_transition: float = parameter(
        2.0, "gradient updates never get further ahead than this", low=0.0)
    max_lag: int = parameter(
        0, "what acts may be so far behind the newest exported policy: training waits rather than "
        "export another; 0: as far as it comes", unit="versions", low=0)
    threads: int = parameter(1, "threads of one gradient update", low=1, high=256)
    processes: int = parameter(
        1, "learning processes beside one another on shared weights, staggered; above 1 with "
        "`replay: recency` only", low=1, high=256)

    def __post_init__(self) -> None:
        """Refuse combinations that cannot run."""
        super().__post_init__()
        if self.processes > 1 and (self.replay != "recency" or self.algorithm == "rainbow"):
            raise ConfigError(f"processes: {self.processes!r} learners draw from a replay by "
                              "'recency', not by priority or from a reservoir; take it, and "
                              "'dqn', or one process")
