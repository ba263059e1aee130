"""What is right and wrong with a contract, by what was heard of its robot: a line each."""

from __future__ import annotations

from collections.abc import Mapping

from realtime_rl.cli.robot_ends import LISTENS, Link, ends, listened, who
from realtime_rl.cli.robot_findings import Finding, Findings, note, ok, wrong
from realtime_rl.cli.robot_source_checks import degrees, examine_source
from realtime_rl.core.errors import choices
from realtime_rl.core.robot import measuring
from realtime_rl.core.robot.contract import ActionGroup, Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Mode
from realtime_rl.core.robot.facts import Facts, Heard
from realtime_rl.core.robot.sections import Limit


def examine(contract: Contract, facts: Facts) -> list[Finding]:
    """Look at all of a contract."""
    findings = [finding for spec in contract.sources
                for finding in examine_source(contract, spec, facts)]
    for group in contract.actions:
        findings += _action(contract, group, facts)
    findings += _limits(contract, facts)
    findings += _others(contract, facts)
    return findings


def _action(contract: Contract, group: ActionGroup, facts: Facts) -> Findings:
    where, config = f"action.{group.name}", group.config
    found = facts.subscribers[config.topic]
    yield from ends(Link(where, config.topic, config.type, LISTENS), found, facts)
    rivals = facts.publishers[config.topic]
    if rivals:
        yield wrong(f"{where}.topic", f"{who(rivals)} commands {facts.full(config.topic)}, too: "
                                      "end it before a policy acts")
    yield from (note(f"{where}.names", f"{name} did not say its parameters: whether it takes the "
                     "values in this order is not known") for name in facts.mute
                if any(each.node == name for each in found))
    for each in found:
        yield from _controller(contract, where, group, facts.controllers.get(each.node, {}),
                               each.node)


def _controller(contract: Contract, where: str, group: ActionGroup,
                said: Mapping[str, object], node: str) -> Findings:
    """What the one who is commanded says of itself."""
    joints = said.get("joints")
    if isinstance(joints, list | tuple) and joints:
        names = group.config.names
        if tuple(joints) == names:
            yield ok(f"{where}.names", f"in the order of {node}")
        elif not _named(group.config.type) or set(joints) != set(names):
            yield wrong(f"{where}.names", f"{node} takes {', '.join(map(str, joints))}, in this "
                                          f"order; the contract sends {', '.join(names)}")
    timeout = said.get("cmd_vel_timeout", group.config.timeout)
    if not isinstance(timeout, int | float) or not timeout:
        return
    period = contract.robot.period
    if period >= timeout:
        yield wrong("period", f"{period:g} s; {node} stops {timeout:g} s after a command: it "
                              "would stop between two")
    elif group.config.timeout != timeout:
        yield note(f"{where}.timeout", f"{node} stops {timeout:g} s after a command, the contract "
                                       f"says {group.config.timeout:g}")


def _named(kind: str) -> bool:
    """Whether a message of this type names its elements, so that their order does not matter."""
    return kind != "std_msgs/msg/Float64MultiArray"


def _limits(contract: Contract, facts: Facts) -> Findings:
    for group in contract.actions:
        source = measuring.source_of(contract, group)
        for name, limit in zip(group.config.names, contract.limits[group.places], strict=True):
            at = facts.positions.get(name)
            if at is not None and limit.has_positions:
                yield _within(name, limit, at)
            elif at is None and source is not None and group.mode in (Mode.POSITION, Mode.DELTA):
                yield from _unmeasured(name, source, facts.heard[source.name])


def _within(name: str, limit: Limit, at: float) -> Finding:
    low, high = limit.min_position, limit.max_position
    if low <= at <= high:
        return ok(f"limits.{name}", f"it is at {at:.4g}, between {low:g} and {high:g}")
    return wrong(f"limits.{name}", f"it is at {at:.4g}, beyond {low:g} to {high:g}: move it, or "
                                   f"set them{degrees(at)}")


def _unmeasured(name: str, source: SourceSpec, heard: Heard) -> Findings:
    """Say that nobody says where it is; where nothing came at all, that was said already."""
    there = {each for names in heard.names for each in names}
    if there and name not in there:
        yield wrong(f"limits.{name}", f"nothing says where it is; source.{source.name} has "
                                      f"{choices(there)}")


def _others(contract: Contract, facts: Facts) -> Findings:
    """Topics that are no sources: without them the robot would not be let go."""
    kinds = {"estop": (contract.estop.topic, "std_msgs/msg/Bool"),
             "deadman": (contract.deadman.topic, "sensor_msgs/msg/Joy"),
             "episode": (contract.episode.topic, "std_msgs/msg/Bool"),
             **{f"reward.{name}": (reward.topic, reward.type)
                for name, reward in contract.rewards.items()}}
    for where, (topic, kind) in kinds.items():
        if topic:
            yield from listened(where, topic, kind, facts)
