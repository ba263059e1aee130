"""The law of the bag: every tick has one cause, every computed action one fate, and they agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Fate, Reason
from realtime_rl.core.figures.accounting import Columns, RunRecords, gave_action
from realtime_rl.core.figures.seams import of_chunks
from realtime_rl.core.figures.statistics import Sessions, gaps, plant_sessions, two_at_once
from realtime_rl.core.messages.pairs import again, last_equal, last_rows
from realtime_rl.core.messages.records import Timestep, Verdict
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_TAIL_TICKS, _TAIL_NS = 2, 20_000_000
"""A tick's verdict comes after it, so that the last ones, so many or so long, may lie outside the
recording."""

_SILENT_TICKS = 3
"""Ticks in a row without a command, from which on the actuator was not there."""

_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_ON_ITS_WAY = 2
"""Ticks that a message may take, and its verdict."""


def disagreements(records: RunRecords) -> list[str]:
    """Where the records break the law, a line a kind with how often and the first case."""
    columns = records.columns()
    sessions, verdicts = plant_sessions(columns.timesteps), columns.verdicts
    problems = [*_gaps(sessions), *_restarts(sessions), *_unattributed(sessions.ticks)]
    if "verdict" in records.topics:
        problems += [*_false_verdicts(sessions, verdicts), *_silent_ticks(sessions, verdicts),
                     *_false_rows(sessions, verdicts), *_two_fates(verdicts)]
        if "inference" in records.topics:
            problems += _no_fate(sessions, columns)
    return problems


def _gaps(sessions: Sessions) -> Iterator[str]:
    absent = sum(len(gap) for gap in gaps(sessions))
    if absent:
        found = list(islice(gaps(sessions), 6))
        listed = ", ".join(str(gap.start) if len(gap) == 1 else f"{gap.start}…{gap.stop - 1}"
                           for gap in found[:5])
        yield (f"{absent} tick(s) are absent from the recording: "
               f"{listed}{', …' if len(found) > 5 else ''}")


def _restarts(sessions: Sessions) -> Iterator[str]:
    if two_at_once(sessions):
        yield ("two plants published their ticks at once: two graphs of one name, and no figure "
               "is of either; give one another namespace or ROS_DOMAIN_ID")
    elif len(sessions) > 1:
        yield f"the plant was started again {len(sessions) - 1} time(s) during the recording"


def _unattributed(ticks: Table[Timestep]) -> Iterator[str]:
    nobody = (ticks.equal("cause", Cause.POLICY)
              & (np.minimum(ticks.ints("worker"), ticks.ints("observation_tick")) < 0))
    yield from _tell_ticks(ticks.ints("tick")[nobody], "policy tick(s) do not say whose action "
                           "was applied, or from which observation")


def _false_verdicts(sessions: Sessions, verdicts: Table[Verdict]) -> Iterator[str]:
    ticks = sessions.ticks
    applied = np.flatnonzero(verdicts.equal("fate", Fate.APPLIED))
    seen = last_equal(ticks.ints("stamp_ns"), verdicts.ints("stamp_ns")[applied])
    applied = applied[seen >= 0]
    session = sessions.of_rows()[seen[seen >= 0]]
    del seen
    numbers = verdicts.ints("tick")[applied]
    at = sessions.find(session, numbers)
    agree = ticks.equal("cause", Cause.POLICY)[at]
    for name in ("worker", "version", "observation_tick"):
        agree &= verdicts.ints(name)[applied] == ticks.ints(name)[at]
    yield from _tell_ticks(numbers[(at >= 0) & ~agree], "verdict(s) call an action applied where "
                           "the plant latched another")
    yield from _tell_ticks(numbers[again((session, numbers))],
                           "tick(s) had more than one action called applied")


def _silent_ticks(sessions: Sessions, verdicts: Table[Verdict]) -> Iterator[str]:
    """Policy and default ticks of which no verdict tells; numbers suffice over restarts.

    Of those just before the actuator fell silent none is expected: it died with it.
    """
    ticks, numbers = sessions.ticks, sessions.ticks.ints("tick")
    unaccounted = np.zeros(len(ticks), np.bool_)
    for cause, fate in ((Cause.POLICY, Fate.APPLIED), (Cause.DEFAULT, Fate.DEFAULTED)):
        decided = verdicts.ints("tick")[verdicts.equal("fate", fate)]
        unaccounted |= ticks.equal("cause", cause) & ~np.isin(numbers, decided)
    chunked = of_chunks(ticks)
    told = verdicts.ints("observation_tick")[verdicts.equal("fate", Fate.APPLIED)
                                             & (verdicts.ints("rows") > 0)]
    unaccounted &= ~(chunked & np.isin(ticks.ints("observation_tick"), told))
    ends = sessions.last_rows
    rows = np.arange(len(ticks))
    excused = rows >= (ends + 1 - _tails(ticks, ends))[sessions.of_rows()]
    excused |= _within(_spans_without_commands(sessions, 0), ticks.ints("stamp_ns"))
    unaccounted &= ~_with_their_chunks(sessions, excused, chunked)
    yield from _tell_ticks(numbers[unaccounted],
                           "tick(s) of the policy or the default have no verdict")


def _with_their_chunks(sessions: Sessions, excused: _Flags, chunked: _Flags) -> _Flags:
    """Excuse all ticks of a chunk whose last one is: its fate is told after that."""
    rows = np.flatnonzero(chunked)
    if not rows.size:
        return excused
    answered = sessions.ticks.ints("observation_tick")[rows]
    _, chunk = np.unique(np.stack([sessions.of_rows()[rows], answered]), axis=1,
                         return_inverse=True)
    chunk = chunk.reshape(-1)
    last = np.zeros(int(chunk.max()) + 1, np.intp)
    np.maximum.at(last, chunk, rows)
    found = excused.copy()
    found[rows] |= excused[last][chunk]
    return found


def _false_rows(sessions: Sessions, verdicts: Table[Verdict]) -> Iterator[str]:
    """Chunks of which the plant latched another number of rows than their verdicts say."""
    ticks = sessions.ticks
    applied = verdicts.where(verdicts.equal("fate", Fate.APPLIED) & (verdicts.ints("rows") > 0))
    rows = np.flatnonzero(of_chunks(ticks))
    seen = sessions.find(sessions.of_rows()[rows], ticks.ints("observation_tick")[rows])
    rows, seen = rows[seen >= 0], seen[seen >= 0]
    stamps_ns, counts = np.unique(ticks.ints("stamp_ns")[seen], return_counts=True)
    at = last_equal(stamps_ns, applied.ints("stamp_ns"))
    latched = np.where(at >= 0, np.append(counts, 0)[at], 0)
    told = applied.ints("rows")
    whole = not any(True for _ in gaps(sessions))
    wrong = (at >= 0) & ((latched > told) | ((latched < told) & whole))
    yield from _tell_ticks(applied.ints("observation_tick")[wrong], "chunk(s) have another number "
                           "of rows latched than their verdicts say")


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


def _no_fate(sessions: Sessions, columns: Columns) -> Iterator[str]:
    verdicts, inferences = columns.verdicts, columns.inferences
    done, stamps_ns = gave_action(inferences), inferences.ints("stamp_ns")
    decided = last_rows((verdicts.ints("stamp_ns"), verdicts.ints("worker")),
                        (stamps_ns, inferences.ints("worker"))) >= 0
    # where none was ever applied, as by a robot that refuses them, what was promised says it
    promised = inferences.ints("due_tick") - inferences.ints("tick")
    # a chunk's is told when its rows are over
    longest = int(max(verdicts.ints("delay_ticks").max(initial=0), promised.max(initial=0),
                      inferences.ints("horizon").max(initial=0)))
    # before the first verdict the actuator was not known to the workers yet; if none ever came,
    # every action was lost
    known_ns = verdicts.ints("stamp_ns")[verdicts.ints("worker") >= 0]
    begin_ns = int(known_ns.min()) if known_ns.size else -1
    silent = _spans_without_commands(sessions, longest)
    done &= _ended_before_the_end(sessions, columns)
    lost: list[NDArray[np.intp]] = []
    for node in sorted(inferences.texts("node", done)):
        rows = np.flatnonzero(done & inferences.is_text("node", node))
        stamps = np.sort(stamps_ns[rows][decided[rows]])
        absent = [(begin, _found_again(stamps, begin, end)) for begin, end in silent]
        from_ns = max(begin_ns, int(stamps[0])) if stamps.size else begin_ns
        missed = ((stamps_ns[rows] > from_ns) & (stamps_ns[rows] < _end_ns(sessions, longest))
                  & ~decided[rows] & ~_within(absent, stamps_ns[rows]))
        lost.append(rows[missed])
    found = np.concatenate([np.zeros(0, np.intp), *lost])
    if found.size:
        first = inferences[int(found[0])]
        yield (f"{found.size} computed action(s) never reached the actuator; the first: worker "
               f"{first.worker}, tick {first.tick}")


def _ended_before_the_end(sessions: Sessions, columns: Columns) -> _Flags:
    """Whether an inference had ended some ticks before the recording did, however long it took."""
    inferences, ticks = columns.inferences, sessions.ticks
    if not len(ticks):
        return np.ones(len(inferences), np.bool_)
    took_s = np.nan_to_num(inferences.floats("duration_s")) \
        + np.nan_to_num(inferences.floats("age_s")).clip(0.0, 3600.0)
    ended_ns = inferences.ints("stamp_ns") + (took_s * 1e9).astype(np.int64)
    last_ns = int(ticks.ints("stamp_ns").max()) - _ON_ITS_WAY * int(ticks.ints("period_ns")[-1])
    return np.asarray(ended_ns < last_ns)


def _end_ns(sessions: Sessions, longest: int) -> int:
    """From when on what was computed of an observation may still have been on its way."""
    if not sessions.ticks:
        return 0
    newest = sessions.ticks[-1]
    return max(-1, newest.stamp_ns - (longest + _tail_ticks(newest)) * newest.period_ns)


def _found_again(stamps: _Ints, begin_ns: int, end_ns: int) -> int:
    """Until when a process could not reach the actuator that was absent from `begin_ns` on.

    It acts again from `end_ns` on, but it and a process find each other later: by the first of the
    process' actions (stamps `stamps` of their observations, sorted) that it decided on.
    """
    at = int(np.searchsorted(stamps, begin_ns, side="right"))
    return max(end_ns, int(stamps[at]) - 1) if at < stamps.size else end_ns


def _spans_without_commands(sessions: Sessions, longest: int) -> list[tuple[int, int]]:
    """Stamps [ns] of observations whose actions met no actuator, in order.

    It fell silent up to `longest` ticks after: it had died, hung, or was not yet known.
    """
    spans: list[tuple[int, int]] = []
    for first, last in _silences(sessions):
        begin_ns = max(-1, first.stamp_ns - (longest + _tail_ticks(first)) * first.period_ns)
        if spans and begin_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], last.stamp_ns
        else:
            spans.append((begin_ns, last.stamp_ns))
    return spans


def _silences(sessions: Sessions) -> Iterator[tuple[Timestep, Timestep]]:
    """First and last tick of the times at which nobody commanded; a late command is none."""
    ticks = sessions.ticks
    silent = ticks.equal("cause", Cause.NONE)
    together = np.zeros(len(ticks), np.bool_)
    together[1:] = sessions.together() & silent[:-1]
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
