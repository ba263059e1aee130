"""What each input of a policy is fed with, and what its outputs are for, in words."""

from __future__ import annotations

from realtime_rl.cli import policy_prefix
from realtime_rl.core.policy.fitting import Fitted
from realtime_rl.core.policy.goals import TOPIC, Goal
from realtime_rl.core.types import PlantSpec


def fed(name: str, fitted: Fitted, plant: PlantSpec) -> str:
    """Say how the input `name` is fed."""
    for each in fitted.inputs:
        if each.name == name:
            joined = f", {fitted.stack} joined" if fitted.stack > 1 else ""
            return f"part '{plant.observation.parts[each.place]}' {each}{joined}"
    states = {each.input: f"state: what {each.output!r} gave; zeros at an episode's first "
              "observation" for each in fitted.states}
    constants = {each: f"constant: {short(str(values.ravel().tolist()))}"
                 for each, values in fitted.constants.items()}
    promised = {each.name: f"prefix: {policy_prefix.USES[each.name]}" for each in fitted.prefix}
    goal = {} if fitted.goal is None else {fitted.goal.input.name: _goal(fitted.goal)}
    return {**states, **constants, **goal, **promised}.get(
        name, f"the last {fitted.history} applied actions")


def _goal(goal: Goal) -> str:
    begins = ("before the first one it does not act" if goal.start is None else
              f"it begins with {short(str(goal.start.ravel().tolist()))}")
    return f"goal: the newest {goal.size} value(s) of the topic '{TOPIC}'; {begins}"


def meaning(name: str, fitted: Fitted) -> str:
    """Say what the output `name` is for."""
    if name == fitted.reading.output:
        return f"acts: {fitted.reading}"
    return "state" if name in {each.output for each in fitted.states} else "not used"


def short(text: str) -> str:
    """Cut what is too long for a line."""
    return text if len(text) <= 70 else f"{text[:68]} …"
