"""The parameters of a run and of most nodes: from here ROS, the checks and the tables take them.

Those of the `inference` and `coordinator` nodes are in `inference` and `coordinator`.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.gamepad_axes import AUTO
from realtime_rl.core.control.joystick import DEADZONE
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names
from realtime_rl.core.settings.chunks import ChunkParameters
from realtime_rl.core.settings.config import parameter
from realtime_rl.core.settings.dqn_config import DqnConfig

NODES = ("actuator", "coordinator", "inference", "learner", "monitor", "plant", "recorder",
         "robot")
COMMAND_TYPES = ("joy", "twist", "joint_trajectory", "joint_state", "float64_multi_array")
GAME_BOY_PERIOD_NS = 16_742_706
PARTS = ("names of an observation's parts, where there are several; `realtime-rl run` and the "
         "launch file fill them in")
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
        "(`catch`); empty: the learner makes an untrained one from its seed, and without a learner "
        "it is refused. What the scenario's file says is left out where `plant.name` or "
        "`plant.options` are set on the command line", path=True)
    learner: bool = parameter(True, "whether a learner improves the policy while it plays")
    robot: str = parameter(
        "", "contract of a robot that stands where the plant stands: a parameter file with the "
        "section `robot`; empty: the one in this file, if there is one", path=True)
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
        "and recorder another: about half of the CPU time, for rates from some 200 Hz on; one that "
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

    period_ns: int = parameter(GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    actions: str = parameter(
        "LEFT RIGHT NOOP = NOOP",
        "action space: labels or `name:low:high`, then `=` and the no-op action")
    observation: str = parameter(
        "uint8[1,84,84] 0:255", "observation: dtype, shape and range of values; several parts as "
        "`front=uint8[3,96,96] 0:255; arm=float32[2] -1:1 j1,j2`, a vector with its elements")


@dataclass(frozen=True)
class ActuatorParameters(ChunkParameters, SpecParameters):
    """Parameters of the `actuator` node."""

    command_type: str = parameter("joy", "message type of `command`", choices=COMMAND_TYPES)
    command_frame: str = parameter("", "`header.frame_id` of a robot's command, as `base_link`")
    gamepad_layout: str = parameter(AUTO, _LAYOUT)
    robot: bool = parameter(
        False, "a robot is commanded: a person needs `operator_button` to take over; `realtime-rl "
        "run` and the launch file fill it in")
    workers: int = parameter(
        0, "workers of the whole graph, whose actions are taken; `realtime-rl run` and the launch "
        "file fill it in; 0: of any", low=0, high=4096)
    stop_file: str = parameter(
        "", "file that remembers a stop, so that an actuator that is started again is still "
        "stopped; `realtime-rl run` and the launch file put it beside the policies; empty: "
        "`ROS_HOME/realtime_rl/`, by domain and name of the node", path=True)
    chunk_interval: int = parameter(
        0, "`chunk_merge: prefix`: ticks between two chunks that are taken up, at least, where `D` "
        "is less; `realtime-rl run` and the launch file fill in `coordinator.chunk_interval`",
        unit="ticks", low=0, high=1024)
    default_policy: str = parameter(
        "noop", "what acts when no action arrives", choices=default_policy.NAMES)
    default_action: str = parameter(
        "", "for `constant`: an action's label, or its values separated by spaces")
    seed: int = parameter(0, "seed of the `random` default policy", low=0)
    stale_after: float = parameter(
        17.0, "actions on older observations are stale", unit="s", low=0.001, high=3600.0)
    deadline_margin: float = parameter(
        0.004, "the default policy steps in so long before a tick that has no action; an action "
        "that still comes in time replaces it. At most three quarters of the period, less where "
        "2 ms are not left of it, and a quarter always: more is clamped, and said",
        unit="s", low=0.0, high=1.0)
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
    period_ns: int = parameter(GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    workers: int = parameter(1, "workers of the whole graph", low=1, high=4096)


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the `recorder` node."""

    bag: str = parameter("", "folder of the bag; must not exist", path=True)
    observations: bool = parameter(True, "record `observation` as well")
    parts: tuple[str, ...] = parameter((), PARTS)
    robot_topics: tuple[str, ...] = parameter(
        (), "topics of the robot's own that are recorded as well, as `/name=package/msg/Type`; "
        "`realtime-rl run` and the launch file fill them in from its contract")


@dataclass(frozen=True)
class LearnerParameters(DqnConfig, SpecParameters):
    """Parameters of the `learner` node."""

    run_dir: str = parameter(
        "", "folder for exported policies; empty: the working directory", path=True)
    policy: str = parameter("", "ONNX file to start from when `run_dir` has none", path=True)
    export_interval: float = parameter(
        10.0, "between exported policies", unit="s", low=0.1, high=86_400.0)
    keep: int = parameter(5, "exported policies that are kept; 0: all, as `realtime-rl regret` "
                                "needs those that acted", low=0)
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
