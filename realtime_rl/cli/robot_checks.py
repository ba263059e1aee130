"""What is right and wrong with a contract, by what was heard of its robot: a line each."""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from realtime_rl.core.enumerations import Named
from realtime_rl.core.errors import choices
from realtime_rl.core.robot import measuring
from realtime_rl.core.robot.contract import ActionGroup, Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Mode, Stamps
from realtime_rl.core.robot.facts import Endpoint, Facts, Heard
from realtime_rl.core.robot.sections import Limit

_PUBLISHES, _LISTENS = "publishes", "listens to"
_ALIKE = 0.4
_LENGTHS = ("ranges", "point.", "pose.position", "pose.pose.position")
_MANY_M = 100.0
"""More than what a robot's sensors measure in metres."""
_SHARE = 0.01
"""Of the ticks that may find a source stale: more are said."""


class Level(Named):
    """How a finding is."""

    OK = 0
    """As it should be."""
    NOTE = 1
    """Worth knowing."""
    WRONG = 2
    """Policies would not act, or not as they were meant to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    where: str
    """Place in the contract, as `source.joints.topic`."""
    text: str


Findings = Iterator[Finding]


def examine(contract: Contract, facts: Facts) -> list[Finding]:
    """Look at all of a contract."""
    findings = [finding for spec in contract.sources for finding in _source(contract, spec, facts)]
    for group in contract.actions:
        findings += _action(contract, group, facts)
    findings += _limits(contract, facts)
    findings += _others(contract, facts)
    return findings


def _ok(where: str, text: str) -> Finding:
    return Finding(Level.OK, where, text)


def _note(where: str, text: str) -> Finding:
    return Finding(Level.NOTE, where, text)


def _wrong(where: str, text: str) -> Finding:
    return Finding(Level.WRONG, where, text)


def _source(contract: Contract, spec: SourceSpec, facts: Facts) -> Findings:
    where, heard = f"source.{spec.name}", facts.heard[spec.name]
    config = spec.config
    found = list(_listened(where, config.topic, config.type, facts))
    yield from found
    if any(finding.level is Level.WRONG for finding in found):
        return
    yield from _several(where, spec, facts.publishers[config.topic], heard)
    for why, count in heard.refused.items():
        yield _wrong(where, f"{count} of {len(heard.received_ns)} messages refused: {why}")
    if not heard.received_ns:
        yield _wrong(f"{where}.topic", f"nothing came on {facts.full(config.topic)} in "
                                       f"{facts.seconds:g} s")
    elif spec.name in facts.missing and not heard.refused:
        yield _wrong(f"{where}.fields", facts.missing[spec.name] + _alike_names(spec, heard))
    yield from _times(contract, where, spec, heard)
    yield from _values(where, spec, heard)


def _listened(where: str, topic: str, kind: str, facts: Facts) -> Findings:
    """Who publishes on a topic, and whether the robot node would hear it."""
    return _ends(_Link(where, topic, kind, _PUBLISHES), facts.publishers[topic], facts)


@dataclass(frozen=True, slots=True)
class _Link:
    """A topic that a contract names, and what whoever is at its other end does."""

    where: str
    topic: str
    kind: str
    verb: str


def _ends(link: _Link, found: Sequence[Endpoint], facts: Facts) -> Findings:
    """Who is at the other end of a topic, and whether they and the robot node would match."""
    where, topic, kind, verb = link.where, facts.full(link.topic), link.kind, link.verb
    if not found:
        there = facts.published if verb == _PUBLISHES else facts.taken
        yield _wrong(f"{where}.topic", f"nobody {verb} {topic}{_alike_topics(topic, kind, there)}")
        return
    of_type = [each for each in found if each.type == kind]
    if not of_type:
        yield _wrong(f"{where}.type", f"{topic} is {choices({each.type for each in found})} "
                                      f"(by {_who(found)}), the contract says {kind!r}")
        return
    for each in of_type:
        if each.problem:
            yield _wrong(f"{where}.reliability" if verb == _PUBLISHES else where,
                         f"{topic}: {each.node} has {each.reliability}, which does not match, so "
                         f"that nothing arrives ({each.problem})"
                         + ("; say `best_effort`" if each.reliability == "best_effort" else ""))
            return
    yield _ok(f"{where}.topic", f"{topic} {kind}, {of_type[0].reliability}, of {_who(of_type)}")


def _who(found: Iterable[Endpoint]) -> str:
    return ", ".join(sorted({each.node for each in found}))


def _alike_topics(topic: str, kind: str, there: Mapping[str, Sequence[str]]) -> str:
    """Return what else might be meant, of the topics that there are."""
    if same := [name for name, kinds in there.items() if kind in kinds]:
        return f"; of {kind}: {choices(same)}"
    if near := difflib.get_close_matches(topic, there, n=1, cutoff=0.8):
        return f"; there is {near[0]!r} of {choices(there[near[0]])}"
    return f"; nothing of {kind} is there" if there else "; nothing is there at all"


def _alike_names(spec: SourceSpec, heard: Heard) -> str:
    there = sorted({name for names in heard.names for name in names})
    asked = [each.name for each in spec.fields if each.name and each.name not in there]
    pairs = [(name, near[0]) for name in asked
             if (near := difflib.get_close_matches(name, there, n=1, cutoff=_ALIKE))]
    return "; perhaps " + ", ".join(f"{near!r} for {name!r}" for name, near in pairs) \
        if pairs else ""


def _several(where: str, spec: SourceSpec, found: Sequence[Endpoint], heard: Heard) -> Findings:
    """Two that say the same are mixed message by message; two with other names are not."""
    if len(found) < 2:
        return
    asked = {each.name for each in spec.fields if each.name}
    groups = [asked & set(names) for names in heard.names]
    apart = asked and len(groups) > 1 and not any(a & b for a, b in combinations(groups, 2))
    if apart:
        yield _ok(f"{where}.topic", f"{len(found)} publishers, each with joints of its own")
    else:
        yield _wrong(f"{where}.topic", f"{len(found)} publishers of the same, whose values would "
                                       "be mixed: " + ", ".join(each.node for each in found)
                     + "; end one, or rename its topic")


def _times(contract: Contract, where: str, spec: SourceSpec, heard: Heard) -> Findings:
    count = len(heard.received_ns)
    if count < 2 or sum(heard.refused.values()) == count:
        return
    config = spec.config
    every = (heard.received_ns[-1] - heard.received_ns[0]) / (count - 1) / 1e9
    behind = statistics.median(heard.behind_ns) / 1e9 if heard.behind_ns else 0.0
    stamped = config.stamps == Stamps.MESSAGE.word
    if every > config.max_age:
        yield _wrong(f"{where}.max_age", f"it comes every {every:.3g} s, and is stale after "
                                         f"{config.max_age:g} s")
    elif stamped and behind > config.max_age:
        yield _wrong(f"{where}.stamps", f"its stamps are {behind:.3g} s behind its reception, and "
                     f"it is stale after {config.max_age:g} s; set both machines by one clock, or "
                     "say `stamps: received`; if it really is so old, raise max_age")
    else:
        yield from _ages(where, spec, heard, every)
    if every > 1.5 * contract.robot.period:
        yield _note(f"{where}.topic", f"a message comes every {every * 1e3:.3g} ms, a tick every "
                                      f"{contract.robot.period * 1e3:.3g} ms")


def _ages(where: str, spec: SourceSpec, heard: Heard, every: float) -> Findings:
    if not heard.ages:
        return
    most = spec.config.max_age
    stale = sum(age > most for age in heard.ages) / len(heard.ages)
    text = (f"{1 / every:.1f} Hz, " if every else "") + (
        f"{statistics.median(heard.ages) * 1e3:.1f} ms old at a tick, "
        f"{max(heard.ages) * 1e3:.1f} ms at most")
    if stale > _SHARE:
        yield _wrong(f"{where}.max_age", f"{text}: stale ({most * 1e3:g} ms) at {stale:.0%} of "
                                         "the ticks")
    else:
        yield _ok(f"{where}.max_age", f"{text}, stale after {most * 1e3:g} ms")


def _values(where: str, spec: SourceSpec, heard: Heard) -> Findings:
    config = spec.config
    for name, least, most in zip(spec.elements, heard.least, heard.most, strict=False):
        if least < config.low or most > config.high:
            yield _wrong(f"{where}.scale", f"{name} is {least:.4g} to {most:.4g}, beyond "
                         f"{config.low:g} to {config.high:g}: set scale and offset, or low and "
                         "high" + _units(spec, name, (least, most)))
    if len(heard.received_ns) > 2 and heard.repeated >= len(heard.received_ns) - 1:
        yield _note(where, f"all {len(heard.received_ns)} messages said the same")


def _units(spec: SourceSpec, name: str, values: Sequence[float]) -> str:
    """Guess what a value is measured in that is out of its range."""
    of_angles = spec.config.type == "sensor_msgs/msg/JointState" or "rpy" in name
    if of_angles:
        return _degrees(*values)
    of_lengths = name.startswith(_LENGTHS) and max(map(abs, values)) > _MANY_M
    return "; are they millimetres?" if of_lengths else ""


def _degrees(*values: float) -> str:
    return "; are they degrees?" if 3.2 < max(map(abs, values)) <= 360 else ""


def _action(contract: Contract, group: ActionGroup, facts: Facts) -> Findings:
    where, config = f"action.{group.name}", group.config
    found = facts.subscribers[config.topic]
    yield from _ends(_Link(where, config.topic, config.type, _LISTENS), found, facts)
    rivals = facts.publishers[config.topic]
    if rivals:
        yield _wrong(f"{where}.topic", f"{_who(rivals)} commands {facts.full(config.topic)}, too: "
                                       "end it before a policy acts")
    yield from (_note(f"{where}.names", f"{name} did not say its parameters: whether it takes the "
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
            yield _ok(f"{where}.names", f"in the order of {node}")
        elif not _named(group.config.type) or set(joints) != set(names):
            yield _wrong(f"{where}.names", f"{node} takes {', '.join(map(str, joints))}, in this "
                                           f"order; the contract sends {', '.join(names)}")
    timeout = said.get("cmd_vel_timeout", group.config.timeout)
    if not isinstance(timeout, int | float) or not timeout:
        return
    period = contract.robot.period
    if period >= timeout:
        yield _wrong("period", f"{period:g} s; {node} stops {timeout:g} s after a command: it "
                               "would stop between two")
    elif group.config.timeout != timeout:
        yield _note(f"{where}.timeout", f"{node} stops {timeout:g} s after a command, the contract "
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
        return _ok(f"limits.{name}", f"it is at {at:.4g}, between {low:g} and {high:g}")
    return _wrong(f"limits.{name}", f"it is at {at:.4g}, beyond {low:g} to {high:g}: move it, or "
                                    f"set them{_degrees(at)}")


def _unmeasured(name: str, source: SourceSpec, heard: Heard) -> Findings:
    """Say that nobody says where it is; where nothing came at all, that was said already."""
    there = {each for names in heard.names for each in names}
    if there and name not in there:
        yield _wrong(f"limits.{name}", f"nothing says where it is; source.{source.name} has "
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
            yield from _listened(where, topic, kind, facts)
