"""What is right and wrong with a contract's source, by what was heard of it."""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Sequence
from itertools import combinations

from realtime_rl.cli.robot_ends import listened
from realtime_rl.cli.robot_findings import Findings, Level, note, ok, wrong
from realtime_rl.core.robot.contract import Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Stamps
from realtime_rl.core.robot.facts import Endpoint, Facts, Heard

_ALIKE = 0.4
_LENGTHS = ("ranges", "point.", "pose.position", "pose.pose.position")
_MANY_M = 100.0
"""More than what a robot's sensors measure in metres."""
_SHARE = 0.01
"""Of the ticks that may find a source stale: more are said."""


def examine_source(contract: Contract, spec: SourceSpec, facts: Facts) -> Findings:
    """Look at one of the contract's sources."""
    where, heard = f"source.{spec.name}", facts.heard[spec.name]
    config = spec.config
    found = list(listened(where, config.topic, config.type, facts))
    yield from found
    if any(finding.level is Level.WRONG for finding in found):
        return
    yield from _several(where, spec, facts.publishers[config.topic], heard)
    for why, count in heard.refused.items():
        yield wrong(where, f"{count} of {len(heard.received_ns)} messages refused: {why}")
    if not heard.received_ns:
        yield wrong(f"{where}.topic", f"nothing came on {facts.full(config.topic)} in "
                                      f"{facts.seconds:g} s")
    elif spec.name in facts.missing and not heard.refused:
        yield wrong(f"{where}.fields", facts.missing[spec.name] + _alike_names(spec, heard))
    yield from _times(contract, where, spec, heard)
    yield from _values(where, spec, heard)


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
        yield ok(f"{where}.topic", f"{len(found)} publishers, each with joints of its own")
    else:
        yield wrong(f"{where}.topic", f"{len(found)} publishers of the same, whose values would "
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
        yield wrong(f"{where}.max_age", f"it comes every {every:.3g} s, and is stale after "
                                        f"{config.max_age:g} s")
    elif stamped and behind > config.max_age:
        yield wrong(f"{where}.stamps", f"its stamps are {behind:.3g} s behind its reception, and "
                    f"it is stale after {config.max_age:g} s; set both machines by one clock, or "
                    "say `stamps: received`; if it really is so old, raise max_age")
    else:
        yield from _ages(where, spec, heard, every)
    if every > 1.5 * contract.robot.period:
        yield note(f"{where}.topic", f"a message comes every {every * 1e3:.3g} ms, a tick every "
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
        yield wrong(f"{where}.max_age", f"{text}: stale ({most * 1e3:g} ms) at {stale:.0%} of "
                                        "the ticks")
    else:
        yield ok(f"{where}.max_age", f"{text}, stale after {most * 1e3:g} ms")


def _values(where: str, spec: SourceSpec, heard: Heard) -> Findings:
    config = spec.config
    for name, least, most in zip(spec.elements, heard.least, heard.most, strict=False):
        if least < config.low or most > config.high:
            yield wrong(f"{where}.scale", f"{name} is {least:.4g} to {most:.4g}, beyond "
                        f"{config.low:g} to {config.high:g}: set scale and offset, or low and "
                        "high" + _units(spec, name, (least, most)))
    if len(heard.received_ns) > 2 and heard.repeated >= len(heard.received_ns) - 1:
        yield note(where, f"all {len(heard.received_ns)} messages said the same")


def _units(spec: SourceSpec, name: str, values: Sequence[float]) -> str:
    """Guess what a value is measured in that is out of its range."""
    of_angles = spec.config.type == "sensor_msgs/msg/JointState" or "rpy" in name
    if of_angles:
        return degrees(*values)
    of_lengths = name.startswith(_LENGTHS) and max(map(abs, values)) > _MANY_M
    return "; are they millimetres?" if of_lengths else ""


def degrees(*values: float) -> str:
    """Guess that values out of their range are degrees; empty: they are not."""
    return "; are they degrees?" if 3.2 < max(map(abs, values)) <= 360 else ""
