"""What `realtime-rl train` says of a training that is done: figures, a picture, a sentence."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from realtime_rl.cli.output import write
from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.core.figures.counters import in_words
from realtime_rl.core.figures.intervals import Interval, mean_of
from realtime_rl.plants import registry
from realtime_rl.simulate.tally import Tally

if TYPE_CHECKING:
    from realtime_rl.simulate.train import Training
    from realtime_rl.simulate.training_run import Settings

_EVALUATION_SEED = 1_000_000_007
"""Added to the seed of the plant on which is evaluated."""
_LATE = 0.75
"""Episodes that end after this share of the ticks are the late ones."""
_SCHEMA = 1


def document(args: argparse.Namespace, settings: Settings, training: Training,
             progress: Callable[[Tally], None] = lambda figures: None) -> dict[str, Any]:
    """Return the figures as JSON values; `progress` is called after each tick of the evaluation."""
    from realtime_rl.learning.networks import parameter_count
    from realtime_rl.learning.training_state import weights_sha256

    figures, trained = training.figures, training.learner
    device = next(trained.network.parameters()).device.type
    late = figures.interval(since_tick=int(_LATE * args.ticks))
    return {
        "schema": _SCHEMA, "plant": settings.plant, "options": settings.options,
        "network": training.network, "parameters": parameter_count(trained.network),
        "device": device,
        "delay_ticks": settings.delay.ticks, "interaction": settings.delay.interaction,
        "seed": settings.seed, "processes": settings.processes, "learners": settings.learners,
        "ticks": training.tick,
        "transitions": trained.transitions, "updates": trained.updates, "reward": figures.reward,
        "reward_per_tick": _known(figures.reward_per_tick),
        "inaction_fraction": _known(figures.inaction_fraction),
        "counters": dict(zip(training.counters, figures.counters, strict=False)),
        "over_time": _over_time(training),
        "episodes": {"count": len(figures.returns), "return": _interval(figures.interval()),
                     "late_return": _interval(late)},
        "evaluation": _evaluation(args, settings, training, progress) if args.evaluate else None,
        "demonstrations": settings.demonstrations.figures() if settings.demonstrations else None,
        "weights_sha256": weights_sha256(trained.network)}


def _over_time(training: Training) -> dict[str, Any]:
    """Return what was summed up to each of some ticks, counted from the first one of all."""
    course = training.course
    return {"ticks": course.ticks, "reward": course.column(0),
            "counters": {name: course.column(place)
                         for place, name in enumerate(training.counters, 1)}}


def _evaluation(args: argparse.Namespace, settings: Settings, training: Training,
                progress: Callable[[Tally], None]) -> dict[str, Any]:
    from realtime_rl.simulate.evaluation import evaluate

    plant = registry.make(settings.plant, settings.options, settings.seed + _EVALUATION_SEED)
    try:
        figures = evaluate(training.learner, plant, settings.delay,
                           stack=settings.learner.stack, episodes=args.evaluate,
                           history=settings.learner.action_history, progress=progress)
    finally:
        plant.close()
    return {"asked": args.evaluate, "episodes": len(figures.returns),
            "ticks": figures.ticks, "reward": figures.reward,
            "reward_per_tick": _known(figures.reward_per_tick),
            "return": _interval(mean_of(figures.returns), same=figures.same),
            "counters": dict(zip(plant.spec.counters, figures.counters, strict=False))}


def _interval(interval: Interval, *, same: bool = False) -> dict[str, float | int | None]:
    """Where all values are the same for a reason, no interval says how far off they may be."""
    low, high = (math.nan, math.nan) if same else (interval.low, interval.high)
    return {"mean": _known(interval.mean), "low": _known(low), "high": _known(high),
            "n": interval.n}


def _read(figures: dict[str, Any]) -> Interval:
    low, high = (math.nan if figures[end] is None else figures[end] for end in ("low", "high"))
    return Interval(figures["mean"], low, high, figures["n"])


def draw(args: argparse.Namespace, training: Training) -> None:
    """Write the picture of the returns, where there are any and matplotlib is installed."""
    if not training.figures.returns:
        return
    try:
        from realtime_rl.simulate.drawing import draw_returns
    except (ImportError, MissingDependencyError):
        print(f"no picture: {MissingDependencyError('matplotlib', 'bags')}", file=sys.stderr)
        return
    title = f"{args.plant}, delay {args.delay}, {args.interaction}, seed {args.seed}"
    write(args.out / "returns.svg", draw_returns(training.figures, title))


def sentence(args: argparse.Namespace, document: dict[str, Any]) -> str:
    """Return what a person wants to know first."""
    lines = [f"{document['ticks']} ticks, {document['episodes']['count']} episodes, "
             f"{document['updates']} updates"]
    parts = [("last quarter of the training", document["episodes"]["late_return"], document)]
    if document["evaluation"]:
        evaluated = document["evaluation"]
        parts.append(("greedy", evaluated["return"], evaluated))
    lines += [_line(what, figures, of) for what, figures, of in parts]
    if document["counters"]:
        lines.append(f"counted in the training: {in_words(document['counters'])}")
    return "\n".join([*lines, f"policy: {args.out / 'policy.onnx'}"])


def _line(what: str, figures: dict[str, Any], of: dict[str, Any]) -> str:
    """Say the mean return, or, of play that does not end, the reward a tick."""
    if figures["n"]:
        returns = f"mean return {_read(figures):.3f}, {figures['n']} episodes"
        if figures["n"] > 1 and figures["low"] is None:
            returns = (f"all {figures['n']} episodes were the same, with the return "
                       f"{figures['mean']:g}; for others set the plant's noops, or a seed where "
                       "it has one")
        asked = of.get("asked")
        return f"{what}: {returns}" + ("" if asked in (None, figures["n"]) else
                                       f", of {asked}: the next did not end")
    rate = of["reward_per_tick"]
    return (f"{what}: no episode ended; reward {'unknown' if rate is None else f'{rate:.4f}'} "
            f"a tick over {of['ticks']} ticks")


def _known(value: float) -> float | None:
    """JSON has no NaN; what is not known is null."""
    return value if math.isfinite(value) else None
