"""The law of the bag: every tick has one cause, every computed action one fate, and they agree."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from realtime_rl.core.accounting import RunRecords, real
from realtime_rl.core.records import Fate, Reason, Timestep, Verdict
from realtime_rl.core.statistics import gaps, plant_lives, two_at_once
from realtime_rl.core.types import Cause

_TAIL_TICKS, _TAIL_NS = 2, 20_000_000
"""A tick's verdict comes after it, so that the last ones, so many or so long, may lie outside the
recording."""

_SILENT_TICKS = 3
"""Ticks in a row without a command, from which on the actuator was not there."""

_Lives = Sequence[Sequence[Timestep]]


def disagreements(records: RunRecords) -> list[str]:
    """Where the records break the law, a line a kind with how often and the first case."""
    lives = plant_lives(records.timesteps)
    problems = [*_gaps(lives), *_restarts(lives), *_unattributed(lives)]
    if "verdict" in records.topics:
        problems += [*_false_verdicts(lives, records.verdicts),
                     *_silent_ticks(lives, records.verdicts), *_two_fates(records.verdicts)]
        if "inference" in records.topics:
            problems += _no_fate(lives, records)
    return problems


def _gaps(lives: _Lives) -> Iterator[str]:
    found = list(gaps(lives))
    if found:
        listed = ", ".join(str(gap.start) if len(gap) == 1 else f"{gap.start}…{gap.stop - 1}"
                           for gap in found[:5])
        yield (f"{sum(len(gap) for gap in found)} tick(s) are absent from the recording: "
               f"{listed}{', …' if len(found) > 5 else ''}")


def _restarts(lives: _Lives) -> Iterator[str]:
    if two_at_once(lives):
        yield ("two plants published their ticks at once: two graphs of one name, and no figure "
               "is of either; give one another namespace or ROS_DOMAIN_ID")
    elif len(lives) > 1:
        yield f"the plant was started again {len(lives) - 1} time(s) during the recording"


def _unattributed(lives: _Lives) -> Iterator[str]:
    yield from _tell(
        (f"tick {step.tick}" for life in lives for step in life if step.cause is Cause.POLICY
         and min(step.worker, step.observation_tick) < 0),
        "policy tick(s) do not say whose action was applied, or from which observation")


def _false_verdicts(lives: _Lives, verdicts: Iterable[Verdict]) -> Iterator[str]:
    ticks = [{step.tick: step for step in life} for life in lives]
    life_of = {step.stamp_ns: index for index, life in enumerate(lives) for step in life}
    false, taken, twice = [], set(), []
    for verdict in verdicts:
        life = life_of.get(verdict.stamp_ns)
        if verdict.fate is not Fate.APPLIED or life is None:
            continue
        step = ticks[life].get(verdict.tick)
        if step is not None and not _agree(verdict, step):
            false.append(f"tick {verdict.tick}")
        if (life, verdict.tick) in taken:
            twice.append(f"tick {verdict.tick}")
        taken.add((life, verdict.tick))
    yield from _tell(false, "verdict(s) call an action applied where the plant latched another")
    yield from _tell(twice, "tick(s) had more than one action called applied")


def _agree(verdict: Verdict, step: Timestep) -> bool:
    return step.cause is Cause.POLICY and (
        (verdict.worker, verdict.version, verdict.observation_tick)
        == (step.worker, step.version, step.observation_tick))


def _silent_ticks(lives: _Lives, verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Policy and default ticks of which no verdict tells; numbers suffice over restarts.

    Of those just before the actuator fell silent none is expected: it died with it.
    """
    deaf = _spans_without_commands(lives, 0)
    told = {(verdict.fate, verdict.tick) for verdict in verdicts}
    fates = {Cause.POLICY: Fate.APPLIED, Cause.DEFAULT: Fate.DEFAULTED}
    yield from _tell(
        (f"tick {step.tick}" for life in lives for step in life[:-_tail_ticks(life[-1])]
         if step.cause in fates and (fates[step.cause], step.tick) not in told
         and not _within(deaf, step.stamp_ns)),
        "tick(s) of the policy or the default have no verdict")


def _two_fates(verdicts: Iterable[Verdict]) -> Iterator[str]:
    # a duplicate is a second message of the same name, and has a fate of its own
    fates = Counter((v.stamp_ns, v.worker) for v in verdicts
                    if v.fate is not Fate.DEFAULTED and v.worker >= 0
                    and v.reason is not Reason.DUPLICATE)
    yield from _tell((f"worker {worker}, observation at {stamp_ns} ns"
                      for (stamp_ns, worker), count in fates.items() if count > 1),
                     "action(s) have more than one fate")


def _no_fate(lives: _Lives, records: RunRecords) -> Iterator[str]:
    decided = {(verdict.stamp_ns, verdict.worker) for verdict in records.verdicts}
    longest = max((verdict.delay_ticks for verdict in records.verdicts), default=0)
    newest = lives[-1][-1] if lives else None
    # what was computed from the last observations may still have been on its way
    end_ns = (newest.stamp_ns - (longest + _tail_ticks(newest)) * newest.period_ns if newest
              else 0)
    # before the first verdict the actuator was not known to the workers yet; if none ever came,
    # every action was lost
    begin_ns = min((stamp_ns for stamp_ns, worker in decided if worker >= 0), default=-1)
    deaf = _spans_without_commands(lives, longest)
    lost = []
    for _, of_process in groupby(sorted(real(records.inferences), key=lambda i: i.node),
                                 lambda i: i.node):
        computed = list(of_process)
        heard = sorted(i.stamp_ns for i in computed if (i.stamp_ns, i.worker) in decided)
        away = [(begin, _found_again(heard, begin, end)) for begin, end in deaf]
        from_ns = max(begin_ns, heard[0]) if heard else begin_ns
        lost += [i for i in computed
                 if from_ns < i.stamp_ns < end_ns and (i.stamp_ns, i.worker) not in decided
                 and not _within(away, i.stamp_ns)]
    yield from _tell((f"worker {i.worker}, tick {i.tick}" for i in lost),
                     "computed action(s) never reached the actuator")


def _found_again(heard: Sequence[int], begin_ns: int, end_ns: int) -> int:
    """Until when a process could not reach the actuator that was away from `begin_ns` on.

    It acts again from `end_ns` on, but it and a process find each other later: by the first of the
    process' actions (stamps `heard` of their observations, sorted) that it decided on.
    """
    at = bisect_right(heard, begin_ns)
    return max(end_ns, heard[at] - 1) if at < len(heard) else end_ns


def _spans_without_commands(lives: _Lives, longest: int) -> list[tuple[int, int]]:
    """Stamps [ns] of observations whose actions met no actuator, in order.

    It fell silent up to `longest` ticks after: it had died, hung, or was not yet known.
    """
    spans: list[tuple[int, int]] = []
    for first, last in _silences(lives):
        begin_ns = first.stamp_ns - (longest + _tail_ticks(first)) * first.period_ns
        if spans and begin_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], last.stamp_ns
        else:
            spans.append((begin_ns, last.stamp_ns))
    return spans


def _silences(lives: _Lives) -> Iterator[tuple[Timestep, Timestep]]:
    """First and last tick of the times at which nobody commanded; a late command is none."""
    for life in lives:
        for silent, group in groupby(life, lambda step: step.cause is Cause.NONE):
            ticks = list(group)
            if silent and len(ticks) >= _SILENT_TICKS:
                yield ticks[0], ticks[-1]


def _within(spans: Sequence[tuple[int, int]], stamp_ns: int) -> bool:
    at = bisect_right(spans, stamp_ns, key=lambda span: span[0])
    return at > 0 and stamp_ns <= spans[at - 1][1]


def _tail_ticks(step: Timestep) -> int:
    return max(_TAIL_TICKS, -(-_TAIL_NS // step.period_ns))


def _tell(cases: Iterable[str], what: str) -> Iterator[str]:
    found = list(cases)
    if found:
        yield f"{len(found)} {what}; the first: {found[0]}"
