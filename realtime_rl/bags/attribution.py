"""The law of the bag: every tick has one cause, every computed action one fate, and they agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.accounting import Columns, RunRecords, gave_action
from realtime_rl.core.figures.statistics import Lives, gaps, plant_lives, two_at_once
from realtime_rl.core.messages.pairs import again, last_equal, last_rows
from realtime_rl.core.messages.records import Fate, Reason, Timestep, Verdict
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_TAIL_TICKS, _TAIL_NS = 2, 20_000_000
"""A tick's verdict comes after it, so that the last ones, so many or so long, may lie outside the
recording."""

_SILENT_TICKS = 3
"""Ticks in a row without a command, from which on the actuator was not there."""

_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]


def disagreements(records: RunRecords) -> list[str]:
    """Where the records break the law, a line a kind with how often and the first case."""
    columns = records.columns()
    lives, verdicts = plant_lives(columns.timesteps), columns.verdicts
    problems = [*_gaps(lives), *_restarts(lives), *_unattributed(lives.ticks)]
    if "verdict" in records.topics:
        problems += [*_false_verdicts(lives, verdicts), *_silent_ticks(lives, verdicts),
                     *_two_fates(verdicts)]
        if "inference" in records.topics:
            problems += _no_fate(lives, columns)
    return problems


def _gaps(lives: Lives) -> Iterator[str]:
    absent = sum(len(gap) for gap in gaps(lives))
    if absent:
        found = list(islice(gaps(lives), 6))
        listed = ", ".join(str(gap.start) if len(gap) == 1 else f"{gap.start}…{gap.stop - 1}"
                           for gap in found[:5])
        yield (f"{absent} tick(s) are absent from the recording: "
               f"{listed}{', …' if len(found) > 5 else ''}")


def _restarts(lives: Lives) -> Iterator[str]:
    if two_at_once(lives):
        yield ("two plants published their ticks at once: two graphs of one name, and no figure "
               "is of either; give one another namespace or ROS_DOMAIN_ID")
    elif len(lives) > 1:
        yield f"the plant was started again {len(lives) - 1} time(s) during the recording"


def _unattributed(ticks: Table[Timestep]) -> Iterator[str]:
    nobody = (ticks.equal("cause", Cause.POLICY)
              & (np.minimum(ticks.ints("worker"), ticks.ints("observation_tick")) < 0))
    yield from _tell_ticks(ticks.ints("tick")[nobody], "policy tick(s) do not say whose action "
                           "was applied, or from which observation")


def _false_verdicts(lives: Lives, verdicts: Table[Verdict]) -> Iterator[str]:
    ticks = lives.ticks
    applied = np.flatnonzero(verdicts.equal("fate", Fate.APPLIED))
    seen = last_equal(ticks.ints("stamp_ns"), verdicts.ints("stamp_ns")[applied])
    applied = applied[seen >= 0]
    life = lives.of_rows()[seen[seen >= 0]]
    del seen
    numbers = verdicts.ints("tick")[applied]
    at = lives.find(life, numbers)
    agree = ticks.equal("cause", Cause.POLICY)[at]
    for name in ("worker", "version", "observation_tick"):
        agree &= verdicts.ints(name)[applied] == ticks.ints(name)[at]
    yield from _tell_ticks(numbers[(at >= 0) & ~agree], "verdict(s) call an action applied where "
                           "the plant latched another")
    yield from _tell_ticks(numbers[again((life, numbers))],
                           "tick(s) had more than one action called applied")


def _silent_ticks(lives: Lives, verdicts: Table[Verdict]) -> Iterator[str]:
    """Policy and default ticks of which no verdict tells; numbers suffice over restarts.

    Of those just before the actuator fell silent none is expected: it died with it.
    """
    ticks, numbers = lives.ticks, lives.ticks.ints("tick")
    untold = np.zeros(len(ticks), np.bool_)
    for cause, fate in ((Cause.POLICY, Fate.APPLIED), (Cause.DEFAULT, Fate.DEFAULTED)):
        told = verdicts.ints("tick")[verdicts.equal("fate", fate)]
        untold |= ticks.equal("cause", cause) & ~np.isin(numbers, told)
    ends = lives.last_rows
    rows = np.arange(len(ticks))
    untold &= rows < (ends + 1 - _tails(ticks, ends))[lives.of_rows()]
    deaf = _spans_without_commands(lives, 0)
    untold &= ~_within(deaf, ticks.ints("stamp_ns"))
    yield from _tell_ticks(numbers[untold], "tick(s) of the policy or the default have no verdict")


def _two_fates(verdicts: Table[Verdict]) -> Iterator[str]:
    # a duplicate is a second message of the same name, and has a fate of its own
    named = (~verdicts.equal("fate", Fate.DEFAULTED) & (verdicts.ints("worker") >= 0)
             & ~verdicts.equal("reason", Reason.DUPLICATE))
    stamps_ns, workers = verdicts.ints("stamp_ns")[named], verdicts.ints("worker")[named]
    repeated = np.flatnonzero(again((stamps_ns, workers)))
    if repeated.size:
        found = sorted(set(zip(stamps_ns[repeated].tolist(), workers[repeated].tolist(),
                               strict=True)))
        first = last_rows((stamps_ns[::-1], workers[::-1]), tuple(np.array(found).T))
        stamp_ns, worker = found[int(first.argmax())]
        yield (f"{len(found)} action(s) have more than one fate; the first: worker {worker}, "
               f"observation at {stamp_ns} ns")


def _no_fate(lives: Lives, columns: Columns) -> Iterator[str]:
    verdicts, inferences = columns.verdicts, columns.inferences
    done, stamps_ns = gave_action(inferences), inferences.ints("stamp_ns")
    decided = last_rows((verdicts.ints("stamp_ns"), verdicts.ints("worker")),
                        (stamps_ns, inferences.ints("worker"))) >= 0
    longest = int(verdicts.ints("delay_ticks").max(initial=0))
    # before the first verdict the actuator was not known to the workers yet; if none ever came,
    # every action was lost
    heard_ns = verdicts.ints("stamp_ns")[verdicts.ints("worker") >= 0]
    begin_ns = int(heard_ns.min()) if heard_ns.size else -1
    deaf = _spans_without_commands(lives, longest)
    lost: list[NDArray[np.intp]] = []
    for node in sorted(inferences.texts("node", done)):
        rows = np.flatnonzero(done & inferences.is_text("node", node))
        heard = np.sort(stamps_ns[rows][decided[rows]])
        away = [(begin, _found_again(heard, begin, end)) for begin, end in deaf]
        from_ns = max(begin_ns, int(heard[0])) if heard.size else begin_ns
        missed = ((stamps_ns[rows] > from_ns) & (stamps_ns[rows] < _end_ns(lives, longest))
                  & ~decided[rows] & ~_within(away, stamps_ns[rows]))
        lost.append(rows[missed])
    found = np.concatenate([np.zeros(0, np.intp), *lost])
    if found.size:
        first = inferences[int(found[0])]
        yield (f"{found.size} computed action(s) never reached the actuator; the first: worker "
               f"{first.worker}, tick {first.tick}")


def _end_ns(lives: Lives, longest: int) -> int:
    """From when on what was computed of an observation may still have been on its way."""
    if not lives.ticks:
        return 0
    newest = lives.ticks[-1]
    return max(-1, newest.stamp_ns - (longest + _tail_ticks(newest)) * newest.period_ns)


def _found_again(heard: _Ints, begin_ns: int, end_ns: int) -> int:
    """Until when a process could not reach the actuator that was away from `begin_ns` on.

    It acts again from `end_ns` on, but it and a process find each other later: by the first of the
    process' actions (stamps `heard` of their observations, sorted) that it decided on.
    """
    at = int(np.searchsorted(heard, begin_ns, side="right"))
    return max(end_ns, int(heard[at]) - 1) if at < heard.size else end_ns


def _spans_without_commands(lives: Lives, longest: int) -> list[tuple[int, int]]:
    """Stamps [ns] of observations whose actions met no actuator, in order.

    It fell silent up to `longest` ticks after: it had died, hung, or was not yet known.
    """
    spans: list[tuple[int, int]] = []
    for first, last in _silences(lives):
        begin_ns = max(-1, first.stamp_ns - (longest + _tail_ticks(first)) * first.period_ns)
        if spans and begin_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], last.stamp_ns
        else:
            spans.append((begin_ns, last.stamp_ns))
    return spans


def _silences(lives: Lives) -> Iterator[tuple[Timestep, Timestep]]:
    """First and last tick of the times at which nobody commanded; a late command is none."""
    ticks = lives.ticks
    silent = ticks.equal("cause", Cause.NONE)
    together = np.zeros(len(ticks), np.bool_)
    together[1:] = lives.together() & silent[:-1]
    begins = np.flatnonzero(silent & ~together)
    ends = np.flatnonzero(silent & ~np.append(together[1:] & silent[1:], False))
    long = ends - begins >= _SILENT_TICKS - 1
    for begin, end in zip(begins[long].tolist(), ends[long].tolist(), strict=True):
        yield ticks[begin], ticks[end]


def _within(spans: list[tuple[int, int]], stamps_ns: _Ints) -> _Flags:
    if not spans:
        return np.zeros(stamps_ns.size, np.bool_)
    begins, ends = np.array(spans, np.int64).T
    at = np.searchsorted(begins, stamps_ns, side="right")
    return np.asarray((at > 0) & (stamps_ns <= ends[at - 1]))


def _tail_ticks(step: Timestep) -> int:
    return max(_TAIL_TICKS, -(-_TAIL_NS // step.period_ns))


def _tails(ticks: Table[Timestep], rows: NDArray[np.intp]) -> _Ints:
    """Return `_tail_ticks` of some ticks."""
    return np.maximum(_TAIL_TICKS, -(-_TAIL_NS // ticks.ints("period_ns")[rows]))


def _tell_ticks(ticks: _Ints, what: str) -> Iterator[str]:
    if ticks.size:
        yield f"{ticks.size} {what}; the first: tick {ticks[0]}"
