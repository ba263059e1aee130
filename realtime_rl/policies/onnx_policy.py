"""An ONNX policy: loaded, checked against the plant, warmed up, and run by several threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import History
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy import chunk_period
from realtime_rl.core.policy.fitting import Fitted, Plant
from realtime_rl.core.policy.goals import Goal
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.policies import (
    batch_axis,
    batch_trial,
    external_weights,
    feeding,
    onnx_signature,
    refitting,
)
from realtime_rl.policies.batch_trial import Answer
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.feeding import Feed, Seen
from realtime_rl.policies.onnx_backend import Backend, OnnxBackend
from realtime_rl.policies.policy_files import Limits
from realtime_rl.policies.stop import Stop


class OnnxPolicy:
    """A policy that a backend computes. Threads may share it; nothing in it changes.

    Make one with `load`.
    """

    def __init__(self, backend: Backend, path: Path, fitted: Fitted, actions: ActionSpace, *,
                 period_ns: int = 0) -> None:
        """Wrap what computes one checked file; `load` is the way to get one."""
        self.backend = backend
        """What computes it."""
        self._path = path
        self._actions = actions
        self._period_ns = period_ns
        self._names = [fitted.reading.output, *(each.output for each in fitted.states)]
        self.fitted = fitted
        """How it is fed and read."""
        self.provider = backend.provider
        """See `Backend`."""
        self.fallback = "; ".join(backend.remarks)
        """Why that is not what was asked for; empty when it is."""
        self.warnings: tuple[str, ...] = fitted.warnings
        self.alone_ns = 0
        """What an inference took at most when it was warmed up [ns]."""

    @staticmethod
    def load(
        path: Path, expected: Plant, compute: Compute | None = None, sha256: str = "", *,
        stack: int = 0, options: PolicyOptions | None = None, limits: Limits | None = None,
        stop: Stop | None = None, before: OnnxPolicy | None = None,
    ) -> OnnxPolicy:
        """Load, check and warm up a policy.

        Args:
            path: the ONNX file; its weights may be in other files of its folder.
            expected: observation and action space of the plant.
            compute: what is to compute it, and how; else one thread of whatever is there.
            sha256: what the file must hash to, in hexadecimal, and its other files with it;
                empty: anything.
            stack: observations that a file without metadata takes; 0: one, or as `options` say.
            options: what is said of it beside the file.
            limits: where the files may be and how large; else the usual ones, and anywhere.
            stop: ends the loading, as far as ONNX Runtime lets itself be ended.
            before: whose place it will take: where `compute.refit` and the graph is the same, its
                sessions compute this one, too.

        Raises:
            PolicyError: the file is absent, altered, too large or no ONNX; it does not fit the
                plant, also where only running it tells; it gives non-finite outputs; the provider
                is unknown; or one run is to answer several observations and cannot.
            MissingDependencyError: ONNX Runtime is not installed, or onnx for weights in other
                files.
        """
        stop, options, compute = stop or Stop(), options or PolicyOptions(), compute or Compute()
        options = replace(options, stack=stack or options.stack)
        model = external_weights.read(path, sha256, replace(limits or Limits(),
                                                            sessions=compute.sessions))
        try:
            used = batch_axis.opened(model) if compute.batch > 1 else model
            taken_over = before.backend.refit(refitting.lift(used)) if (
                compute.refit and before is not None) else None
            backend = taken_over or OnnxBackend.load(path, used, compute, stop)
        finally:
            model.close()
        try:
            fitted = onnx_signature.fit(backend.graph, expected, options)
        except PolicyError as error:
            raise PolicyError(f"policy {str(path)!r}: {error}") from error
        policy = OnnxPolicy(backend, path, fitted, expected[1], period_ns=options.period_ns)
        policy._warm_up(stop, 1 if taken_over else backend.sessions)
        if compute.batch > 1:
            policy._check_batch(stop, compute.batch)
        return policy

    @property
    def metadata(self) -> PolicyMetadata | None:
        """What the file says about itself; `None` when it says nothing."""
        return self.fitted.metadata

    @property
    def version(self) -> int:
        """Version in the metadata; 0 without."""
        return self.metadata.version if self.metadata else 0

    @property
    def epsilon(self) -> float:
        """Exploration that the learner wants; 0.0 without metadata."""
        return self.metadata.epsilon if self.metadata else 0.0

    @property
    def stack(self) -> int:
        """How many observations the inputs join."""
        return self.fitted.stack

    @property
    def action_history(self) -> int:
        """How many applied actions `infer` needs beside the observation."""
        return self.fitted.history

    @property
    def horizon(self) -> int:
        """Ticks of the plant that a chunk is for; 0: it gives single actions."""
        return chunk_period.ticks(self.fitted.reading.horizon, self.fitted.chunk_period_ns,
                                  self._period_ns)

    @property
    def first_offset(self) -> int:
        """The tick after its observation's that the first row of a chunk is meant for."""
        return self.fitted.first_tick

    @property
    def recurrent(self) -> str:
        """Why only one inference at a time is possible; empty: any number is."""
        pairs = ", ".join(f"{each.input} → {each.output}" for each in self.fitted.states)
        return f"is recurrent ({pairs})" if pairs else ""

    @property
    def goal(self) -> Goal | None:
        """The input that takes the newest goal, if there is one."""
        return self.fitted.goal

    @property
    def takes_prefix(self) -> bool:
        """Whether `infer` feeds it with what is promised."""
        return bool(self.fitted.prefix)

    @property
    def max_prefix(self) -> int:
        """Rows of what is promised that it was trained for, at most; 0: it does not say."""
        return self.fitted.max_prefix

    def memory(self) -> Memory | None:
        """Return what a recurrent policy remembers before an episode; of others `None`."""
        return Memory(self.fitted.states) if self.fitted.states else None

    def difference(self, other: OnnxPolicy) -> str:
        """Say in what `other` takes or gives something else than this one; empty: in nothing."""
        return self.fitted.difference(other.fitted)

    def infer(self, observation: Observation, history: History = (), *, worker: int = 0,
              stop: Stop | None = None, memory: Memory | None = None,
              promised: Prefix | None = None, goal: NDArray[Any] | None = None
              ) -> NDArray[np.float32]:
        """Run the network on one stacked observation.

        Args:
            observation: as many joined as `stack` says.
            history: the last `action_history` applied actions, oldest first.
            worker: index of the caller: each has a lane of its own, and different ones share as
                few of several sessions as can be.
            stop: ends it between two steps of the network; it then raises what ONNX Runtime does.
            memory: of a recurrent policy, from `memory()`; it is brought up to date.
            promised: what acts meanwhile, where the policy takes that; else nothing.
            goal: the newest one; `None`: that which the policy begins with.

        Returns:
            Shape `(outputs,)`, or `(H, outputs)` of a chunk, in the plant's units.

        Raises:
            PolicyError: the observation has another shape, the history another length, there is
                no goal, or what comes out is no action: of another shape, or not finite. Of
                choices some may be `-inf`, as those that are masked. More is promised than
                `max_prefix`.
        """
        seen = Seen(observation, history, promised, goal)
        return self._run(self._feed(seen), worker, stop, memory)

    def infer_batch(self, seen: Sequence[Seen], *, worker: int = 0, stop: Stop | None = None
                    ) -> list[Answer]:
        """Run the network once on several observations; `load` it with such a `batch`.

        Returns:
            For each what `infer` gives, or raises.
        """
        answers: dict[int, Answer] = {}
        feeds: dict[int, Feed] = {}
        for place, each in enumerate(seen):
            try:
                feeds[place] = self._feed(each)
            except PolicyError as error:
                answers[place] = error
        if feeds:
            answers |= dict(zip(feeds, self._answers([*feeds.values()], worker, stop),
                                strict=True))
        return [answers[place] for place in range(len(seen))]

    def _answers(self, feeds: list[Feed], worker: int, stop: Stop | None) -> list[Answer]:
        found = self.backend.run(
            self._names, feeding.joined(feeds, self.fitted.batchable.shared), worker, stop)[0]
        answers: list[Answer] = []
        for row in range(len(feeds)):
            try:
                answers.append(self._read(found[row:row + 1]))
            except PolicyError as error:
                answers.append(error)
        return answers

    def _feed(self, seen: Seen) -> Feed:
        with self._named(":"):
            return feeding.feed(self.fitted, self._actions, seen)

    def _run(self, feed: Feed, worker: int, stop: Stop | None, memory: Memory | None
             ) -> NDArray[np.float32]:
        if self.fitted.states:
            if memory is None:
                raise PolicyError(f"policy {str(self._path)!r} {self.recurrent}: it needs its "
                                  "memory")
            feed.update(memory.feed)
        found = self.backend.run(self._names, feed, worker, stop)
        outputs = self._read(found[0])
        if memory is not None:
            with self._named():
                memory.keep(dict(zip(self._names, found, strict=True)))
        return outputs

    def _read(self, found: NDArray[Any]) -> NDArray[np.float32]:
        with self._named():
            return self.fitted.reading.read(found)

    @contextlib.contextmanager
    def _named(self, colon: str = "") -> Iterator[None]:
        try:
            yield
        except PolicyError as error:
            raise PolicyError(f"policy {str(self._path)!r}{colon} {error}") from error

    def act(self, outputs: NDArray[np.float32]) -> Action:
        """Return the action: the choice of the largest value, or the values within limits."""
        if self._actions.discrete:
            return (float(outputs.argmax()),)
        clipped = np.clip(outputs, self._actions.low, self._actions.high)
        return tuple(float(value) for value in clipped)

    def rows(self, outputs: NDArray[np.float32]) -> tuple[Action, ...]:
        """Return the actions of a chunk, one for each of `horizon` ticks of the plant."""
        if self._actions.discrete:
            return tuple((float(choice),) for choice in outputs.argmax(axis=-1))
        at_ticks = chunk_period.at_ticks(outputs, self.fitted.chunk_period_ns, self._period_ns)
        return tuple(map(tuple, np.clip(at_ticks, self._actions.low, self._actions.high).tolist()))

    def _warm_up(self, stop: Stop, sessions: int) -> None:
        """The first runs allocate; an overflow or NaN shows on the extremes, and open sizes."""
        for worker in range(sessions):
            for end in ("low", "high"):
                feed = feeding.extreme(self.fitted, self._actions, end)
                begin_ns = time.monotonic_ns()
                found = self._try(feed, worker, stop)
                self.alone_ns = max(self.alone_ns, time.monotonic_ns() - begin_ns)
                if self.fitted.reading.horizon < 0:  # left open in the file
                    self.fitted = replace(self.fitted, reading=replace(
                        self.fitted.reading, horizon=len(found)))

    def _check_batch(self, stop: Stop, size: int) -> None:
        """Refuse a policy whose open axis is missing, or is none of a batch; warm up the others."""
        problem = self.fitted.batchable.why_not
        if not problem:
            ends = [feeding.extreme(self.fitted, self._actions, end) for end in ("low", "high")]
            alone = [self._try(each, 0, stop) for each in ends]
            begin_ns = time.monotonic_ns()
            problem = batch_trial.problem(lambda feeds: self._answers(feeds, 0, stop), ends, alone,
                                          size)
            self.alone_ns = max(self.alone_ns, time.monotonic_ns() - begin_ns)
        if problem:
            raise PolicyError(f"policy {str(self._path)!r} cannot take inference.batch={size}: "
                              f"{problem}; set inference.batch=1")

    def _try(self, feed: Feed, worker: int, stop: Stop) -> NDArray[np.float32]:
        try:
            return self._run(feed, worker, stop, self.memory())
        except PolicyError:
            raise
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            shapes = ", ".join(str([1, *each.shape]) for each in self.fitted.inputs)
            raise PolicyError(
                f"policy {str(self._path)!r} cannot be run on observations of shape "
                f"{shapes}: {' '.join(str(error).split())}") from error

