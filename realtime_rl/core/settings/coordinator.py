"""What the coordinator's parameters ask of its schedule."""

from __future__ import annotations

from realtime_rl.core.messages.records import Algorithm, Dealing, SlotSource
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy, Sizing
from realtime_rl.core.settings.parameters import CoordinatorParameters


def policy_of(config: CoordinatorParameters) -> CoordinationPolicy:
    """Return what a node's parameters ask for."""
    ticks = round(config.delay_max * 1e9) // config.period_ns
    return CoordinationPolicy(
        tuple(range(config.workers)), config.period_ns, round(config.handover * 1e9),
        config.window, config.warmup, lead_ns=round(config.lead * 1e9),
        look_ns=round(config.evaluate_period * 1e9),
        most_delay_ticks=max(1, min(config.max_delay_ticks, ticks)),
        most_handover_ns=round(config.handover_max * 1e9),
        algorithm=Algorithm[config.algorithm.upper()], dealing=Dealing[config.dealing.upper()],
        slot_source=SlotSource[config.slot_source.upper()], quantile=config.quantile,
        sizing=Sizing(config.sizing == "auto", config.min_workers, config.max_workers,
                      config.headroom, config.target_inaction),
        processes=config.inference_nodes)
