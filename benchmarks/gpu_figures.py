"""The figures of `benchmarks.gpu`, each with what measures it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_subject import Subject, infer
from benchmarks.rates import filled
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.policies.feeding import Seen


@dataclass(frozen=True)
class Agreement:
    """The provider's actions against the CPU's."""

    network: str
    observations: int
    different_actions: int
    """That the CPU chose."""
    same_actions: int
    largest_difference: float
    """Of any value, as a share of the largest one."""
    largest_gap: float
    """Where the actions differ: by how much the CPU values its own higher, as such a share."""
    cpu_ms: float
    """Median of what an inference took the CPU, on all of its cores."""

    def __str__(self) -> str:
        return (f"{self.network}: {self.same_actions} of {self.observations} actions are the "
                f"CPU's, which chose {self.different_actions} different ones in "
                f"{self.cpu_ms:.1f} ms each; values differ by {self.largest_difference:.1e} of the "
                f"largest at most, between two actions by {self.largest_gap:.1e}")


@dataclass(frozen=True)
class Alone:
    """One inference at a time."""

    network: str
    median_ms: float
    p95_ms: float
    inferences: int

    def __str__(self) -> str:
        return (f"{self.network}, one at a time: {self.median_ms:.2f} ms, p95 {self.p95_ms:.2f} ms "
                f"({self.inferences} inferences)")


@dataclass(frozen=True)
class Together:
    """N workers at a time."""

    network: str
    workers: int
    sessions: int
    per_s: float
    parallelism: float
    """Times as many a second as one worker with as many sessions makes."""
    median_ms: float

    def __str__(self) -> str:
        return (f"{self.network}, {self.workers} workers, {self.sessions} sessions: "
                f"{self.per_s:.1f} a second, {self.parallelism:.2f} times one worker's; "
                f"{self.median_ms:.2f} ms each")


@dataclass(frozen=True)
class Learning:
    """A learner alone."""

    network: str
    batch: int
    updates_per_s: float

    def __str__(self) -> str:
        return f"{self.network}, learner, batch of {self.batch}: {self.updates_per_s:.2f} updates/s"


@dataclass(frozen=True)
class Batches:
    """Runs that answer several observations each, one at a time."""

    network: str
    batch: int
    median_ms: float
    times_one: float
    """As long as a run that answers one."""

    def __str__(self) -> str:
        return (f"{self.network}, {self.batch} observations a run: {self.median_ms:.2f} ms, "
                f"{self.times_one:.2f} times one's")


@dataclass(frozen=True)
class Refresh:
    """The same policy again, from its file to its first action: as a new session, or a refit."""

    network: str
    anew_ms: float
    refit_ms: float
    ratio: float
    """A refit against a new session."""
    inference_ratio: float
    """How much longer an inference takes whose weights are inputs."""

    def __str__(self) -> str:
        return (f"{self.network}, a refresh: {self.anew_ms:.0f} ms anew, {self.refit_ms:.0f} ms "
                f"as a refit ({self.ratio:.2f}); its inferences take {self.inference_ratio:.2f} "
                "times as long")


Figure = Agreement | Alone | Together | Batches | Refresh | Learning


def agree(subject: Subject, seconds: float) -> Agreement:
    """Compare what the provider gives with what the CPU gives in so many seconds."""
    theirs, durations, cpu = list[NDArray[np.float32]](), list[float](), subject.on_cpu()
    for each in subject.seen:
        begin = time.perf_counter()
        theirs.append(cpu.infer(each))
        durations.append(time.perf_counter() - begin)
        if sum(durations) > seconds:
            break
    del cpu
    policy = subject.load()
    ours = np.stack([policy.infer(each) for each in subject.seen[:len(theirs)]])
    reference = np.stack(theirs)
    largest, rows = float(np.abs(reference).max()), np.arange(len(theirs))
    wanted, chosen = reference.argmax(1), ours.argmax(1)
    return Agreement(
        subject.name, len(theirs), len(set(wanted.tolist())), int((wanted == chosen).sum()),
        float(np.abs(reference - ours).max()) / largest,
        float((reference[rows, wanted] - reference[rows, chosen]).max()) / largest,
        1e3 * statistics.median(durations))


def alone(subject: Subject, seconds: float) -> Alone:
    """Measure one worker."""
    durations, _ = infer(subject, subject.load(), 1, seconds)
    return Alone(subject.name, 1e3 * statistics.median(durations),
                 1e3 * float(np.quantile(durations, 0.95)), len(durations))


def together(subject: Subject, sessions: int, args: argparse.Namespace) -> Iterator[Together]:
    """Measure N workers on so many sessions, after one worker with as many."""
    policy = subject.load(sessions=sessions)
    _, one = infer(subject, policy, 1, args.seconds)
    for workers in args.workers:
        if sessions <= workers:
            durations, per_s = infer(subject, policy, workers, args.seconds)
            yield Together(subject.name, workers, sessions, per_s, per_s / one,
                           1e3 * statistics.median(durations))


def batches(subject: Subject, sizes: Sequence[int], seconds: float) -> Iterator[Batches]:
    """Measure runs of each size."""
    subject.unload()
    policy = subject.loaded(replace(subject.compute, batch=max(sizes)))
    one = 0.0
    for size in sorted({1, *sizes}):
        seen = [Seen(subject.seen[number % len(subject.seen)]) for number in range(size)]
        policy.infer_batch(seen)
        took = _durations(lambda seen=seen: policy.infer_batch(seen), seconds)
        median = 1e3 * statistics.median(took)
        one = one or median
        yield Batches(subject.name, size, median, median / one)


def refresh(subject: Subject, seconds: float) -> Refresh:
    """Measure both ways in turn, three times, and inferences after either, in turn, too."""
    subject.unload()
    ways = {way: replace(subject.compute, refit=way) for way in (False, True)}
    policies = {way: subject.loaded(compute) for way, compute in ways.items()}
    took: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(3):
        for way, compute in ways.items():
            begin = time.perf_counter()
            policies[way] = subject.loaded(compute, policies[way])
            policies[way].infer(subject.seen[0])
            took[way].append(time.perf_counter() - begin)
    anew, refit = (1e3 * statistics.median(took[way]) for way in ways)
    inferences: dict[bool, list[float]] = {False: [], True: []}
    _durations(lambda: [inferences[way].append(_once(
        lambda way=way: policies[way].infer(subject.seen[0]))) for way in ways], seconds)
    plain, fed = (statistics.median(inferences[way]) for way in ways)
    return Refresh(subject.name, anew, refit, refit / anew, fed / plain)


def _durations(work: Callable[[], object], seconds: float) -> list[float]:
    found: list[float] = []
    until = time.perf_counter() + seconds
    while not found or time.perf_counter() < until:
        found.append(_once(work))
    return found


def _once(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def learn(network: str, args: argparse.Namespace) -> Learning:
    """Make updates for so long, after a few that are not counted."""
    config = DqnConfig(network=network, device=args.device, stack=1, learn_start=1,
                       batch_size=args.batch)
    learner = filled(config)
    for _ in range(3):
        learner.update()
    begin, updates = time.perf_counter(), 0
    while (taken := time.perf_counter() - begin) < args.seconds or not updates:
        learner.update()
        updates += 1
    return Learning(network, args.batch, updates / taken)
