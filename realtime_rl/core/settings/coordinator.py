"""Parameters of the `coordinator` node, and what they ask of its schedule."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.enumerations import Algorithm, Dealing, MergeRule, SlotSource
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy, Sizing
from realtime_rl.core.schedule.stagger import HOLDING
from realtime_rl.core.schedule.tick_grid import ticks_in
from realtime_rl.core.settings.config import choice, parameter
from realtime_rl.core.settings.parameters import GAME_BOY_PERIOD_NS, PARTS

SIZINGS = ("fixed", "auto")


@dataclass(frozen=True)
class CoordinatorParameters:
    """Parameters of the `coordinator` node."""

    inference_nodes: tuple[str, ...] = parameter(
        ("inference_0",), "names of the inference nodes, in order of their `process`")
    workers: int = parameter(1, "workers of the whole graph", low=1, high=4096)
    parts: tuple[str, ...] = parameter((), PARTS)
    period_ns: int = parameter(GAME_BOY_PERIOD_NS, "the plant's period", unit="ns", low=1)
    algorithm: str = choice(
        Algorithm.MAX_TIME, "when a finished action leaves: held for an even stream, at once, or "
        "held until a quantile; the last three are baselines", live=True)
    dealing: str = choice(
        Dealing.POOLED, "which worker of a process takes a slot: any idle one, or the next in "
        "turn", live=True)
    slot_source: str = choice(
        SlotSource.TICK, "what starts a slot: the observation's arrival, or a staggered timer a "
        "worker", live=True)
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
    chunk_interval: int = parameter(
        0, "a policy that gives chunks: ticks between two of them at least, so that no more "
        "workers are busy than that takes; 0: as many chunks as the workers can give",
        unit="ticks", low=0, high=1024, live=True)
    chunk_merge: str = choice(
        MergeRule.NEWEST, "how the actuator has chunks meet: with `prefix` a chunk begins every "
        "`D` ticks at most, so that what acts until then is settled; `realtime-rl run` and the "
        "launch file fill in `actuator.chunk_merge`")
    handover: float = parameter(
        0.002, "allowance for messages and wake-ups in D: so much at least", unit="s", low=0.0,
        high=1.0)
    handover_max: float = parameter(
        0.05, "and so much at most, where the actions held for D are measured to need it",
        unit="s", low=0.0, high=1.0)
    delay_max: float = parameter(
        15.0, "D is no longer than this, whatever the inferences take: what the paper's largest "
        "network takes (12.6 s), and less than `actuator.stale_after`",
        unit="s", low=0.001, high=3600.0)
    stale_after: float = parameter(
        17.0, "nor than this; `realtime-rl run` and the launch file fill in "
        "`actuator.stale_after`, as actions that are older are refused", unit="s", low=0.001,
        high=3600.0)
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
        if self.chunk_merge == MergeRule.PREFIX.word \
                and Algorithm.of(self.algorithm) not in HOLDING:
            raise ConfigError(f"algorithm: {self.algorithm!r} promises no delay, and chunk_merge "
                              f"'prefix' needs one: take {choices(each.word for each in HOLDING)}")
        if self.min_workers > self.max_workers:
            raise ConfigError(f"min_workers: {self.min_workers!r} exceeds max_workers "
                              f"{self.max_workers!r}")


def policy_of(config: CoordinatorParameters) -> CoordinationPolicy:
    """Return what a node's parameters ask for."""
    return CoordinationPolicy(
        tuple(range(config.workers)), config.period_ns, round(config.handover * 1e9),
        config.window, config.warmup, lead_ns=round(config.lead * 1e9),
        look_ns=round(config.evaluate_period * 1e9),
        most_delay_ticks=ticks_in(min(config.delay_max, config.stale_after), config.period_ns),
        most_handover_ns=round(config.handover_max * 1e9),
        algorithm=Algorithm.of(config.algorithm), dealing=Dealing.of(config.dealing),
        slot_source=SlotSource.of(config.slot_source), quantile=config.quantile,
        sizing=Sizing(config.sizing == "auto", config.min_workers, config.max_workers,
                      config.headroom, config.target_inaction),
        chunk_interval=config.chunk_interval,
        chunk_prefix=config.chunk_merge == MergeRule.PREFIX.word, processes=config.inference_nodes)
