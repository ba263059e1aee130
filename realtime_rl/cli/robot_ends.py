"""Who is at the other end of a topic that a contract names, and whether they match its node."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from realtime_rl.cli.robot_findings import Findings, ok, wrong
from realtime_rl.core.errors import choices
from realtime_rl.core.robot.facts import Endpoint, Facts

PUBLISHES, LISTENS = "publishes", "listens to"


def listened(where: str, topic: str, kind: str, facts: Facts) -> Findings:
    """Who publishes on a topic, and whether the robot node would hear it."""
    return ends(Link(where, topic, kind, PUBLISHES), facts.publishers[topic], facts)


@dataclass(frozen=True, slots=True)
class Link:
    """A topic that a contract names, and what whoever is at its other end does."""

    where: str
    topic: str
    kind: str
    verb: str


def ends(link: Link, found: Sequence[Endpoint], facts: Facts) -> Findings:
    """Who is at the other end of a topic, and whether they and the robot node would match."""
    where, topic, kind, verb = link.where, facts.full(link.topic), link.kind, link.verb
    if not found:
        there = facts.published if verb == PUBLISHES else facts.taken
        yield wrong(f"{where}.topic", f"nobody {verb} {topic}{_alike_topics(topic, kind, there)}")
        return
    of_type = [each for each in found if each.type == kind]
    if not of_type:
        yield wrong(f"{where}.type", f"{topic} is {choices({each.type for each in found})} "
                                     f"(by {who(found)}), the contract says {kind!r}")
        return
    for each in of_type:
        if each.problem:
            yield wrong(f"{where}.reliability" if verb == PUBLISHES else where,
                        f"{topic}: {each.node} has {each.reliability}, which does not match, so "
                        f"that nothing arrives ({each.problem})"
                        + ("; say `best_effort`" if each.reliability == "best_effort" else ""))
            return
    yield ok(f"{where}.topic", f"{topic} {kind}, {of_type[0].reliability}, of {who(of_type)}")


def who(found: Iterable[Endpoint]) -> str:
    """Return the names of the nodes at some ends."""
    return ", ".join(sorted({each.node for each in found}))


def _alike_topics(topic: str, kind: str, there: Mapping[str, Sequence[str]]) -> str:
    """Return what else might be meant, of the topics that there are."""
    if same := [name for name, kinds in there.items() if kind in kinds]:
        return f"; of {kind}: {choices(same)}"
    if near := difflib.get_close_matches(topic, there, n=1, cutoff=0.8):
        return f"; there is {near[0]!r} of {choices(there[near[0]])}"
    return f"; nothing of {kind} is there" if there else "; nothing is there at all"
