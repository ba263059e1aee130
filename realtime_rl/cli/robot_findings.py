"""What is found when a robot is looked at: a line each, and how it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realtime_rl.core.enumerations import Named


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


def ok(where: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, where, text)


def note(where: str, text: str) -> Finding:
    """It is worth knowing."""
    return Finding(Level.NOTE, where, text)


def wrong(where: str, text: str) -> Finding:
    """Policies would not act, or not as they were meant to."""
    return Finding(Level.WRONG, where, text)
