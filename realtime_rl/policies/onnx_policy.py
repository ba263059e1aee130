"""An ONNX policy: loaded, checked against the plant, warmed up, and run by several threads."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import History, encode
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.policy import chunk_period, prefix
from realtime_rl.core.policy.fitting import Fitted, Plant
from realtime_rl.core.policy.inputs import Input
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.policies import external_weights, onnx_session, onnx_signature, providers
from realtime_rl.policies.policy_files import Limits
from realtime_rl.policies.stop import Stop


class OnnxPolicy:
    """A policy in one or more ONNX Runtime sessions. Threads may share it; nothing in it changes.

    Make one with `load`.
    """

    def __init__(self, sessions: list[Any], path: Path, fitted: Fitted, actions: ActionSpace,
                 model: external_weights.Model, *, period_ns: int = 0) -> None:
        """Wrap sessions of one checked file; `load` is the way to get one."""
        self._sessions = sessions
        self._model = model  # its weights are the sessions'
        self._path = path
        self._actions = actions
        self._period_ns = period_ns
        self._names = [fitted.reading.output, *(each.output for each in fitted.states)]
        self.fitted = fitted
        """How it is fed and read."""
        self.provider: str = providers.name_of(sessions[0].get_providers()[0])
        """What really computes: `cpu`, `cuda` or `tensorrt`."""
        self.fallback = ""
        """Why that is not what was asked for; empty when it is."""
        self.warnings: tuple[str, ...] = fitted.warnings
        self.alone_ns = 0
        """What an inference took at most when it was warmed up [ns]."""

    @staticmethod
    def load(
        path: Path, expected: Plant, provider: str = "auto", threads: int = 1, sha256: str = "",
        *, sessions: int = 1, stack: int = 0, options: PolicyOptions | None = None,
        limits: Limits | None = None, stop: Stop | None = None,
    ) -> OnnxPolicy:
        """Load, check and warm up a policy.

        Args:
            path: the ONNX file; its weights may be in other files of its folder.
            expected: observation and action space of the plant.
            provider: `auto` (CUDA where there is one, else CPU), `cpu`, `cuda` or `tensorrt`.
            threads: threads of one inference.
            sha256: what the file must hash to, in hexadecimal, and its other files with it;
                empty: anything.
            sessions: how many hold the weights, each once. One serves any number of threads;
                several keep a GPU's inferences in streams of their own.
            stack: observations that a file without metadata takes; 0: one, or as `options` say.
            options: what is said of it beside the file.
            limits: where the files may be and how large; else the usual ones, and anywhere.
            stop: ends the loading, as far as ONNX Runtime lets itself be ended.

        Raises:
            PolicyError: the file is absent, altered, too large or no ONNX; it does not fit the
                plant, also where only running it tells; it gives non-finite outputs; `provider`
                is unknown.
            MissingDependencyError: ONNX Runtime is not installed, or onnx for weights in other
                files.
        """
        stop = stop or Stop()
        options = options or PolicyOptions()
        options = replace(options, stack=stack or options.stack)
        limits = replace(limits or Limits(), sessions=sessions)
        model = external_weights.read(path, sha256, limits)
        try:
            opened = [onnx_session.open_session(path, model, provider, threads, stop)
                      for _ in range(sessions)]
        finally:
            model.close()
        session, fallback = opened[0]
        try:
            fitted = onnx_signature.fit(onnx_signature.graph_of(session), expected, options)
        except PolicyError as error:
            raise PolicyError(f"policy {str(path)!r}: {error}") from error
        policy = OnnxPolicy([each for each, _ in opened], path, fitted, expected[1], model,
                            period_ns=options.period_ns)
        policy.fallback = fallback
        policy._warm_up(stop)
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
    def inputs(self) -> tuple[Input, ...]:
        """What `infer` feeds with the parts of an observation."""
        return self.fitted.inputs

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
              promised: Prefix | None = None) -> NDArray[np.float32]:
        """Run the network on one stacked observation.

        Args:
            observation: as many joined as `stack` says.
            history: the last `action_history` applied actions, oldest first.
            worker: index of the caller: different ones share as few of several sessions as can be.
            stop: ends it between two steps of the network; it then raises what ONNX Runtime does.
            memory: of a recurrent policy, from `memory()`; it is brought up to date.
            promised: what acts meanwhile, where `takes_prefix`; else nothing is.

        Returns:
            Shape `(outputs,)`, or `(H, outputs)` of a chunk, in the plant's units.

        Raises:
            PolicyError: the observation has another shape, the history another length, or what
                comes out is no action: of another shape, or not finite. Of choices some may be
                `-inf`, as those that are masked. More is promised than `max_prefix`.
        """
        feed = self._feed(observation)
        if len(history) != self.fitted.history:
            raise PolicyError(f"policy {str(self._path)!r} takes the last {self.fitted.history} "
                              f"applied actions beside the observation, not {len(history)}")
        if history:
            feed[HISTORY_INPUT] = encode([history], self._actions)
        self._promise(feed, promised or Prefix())
        return self._run(feed, worker, stop, memory)

    def _feed(self, observation: Observation) -> dict[str, NDArray[Any]]:
        parts, feed = split(observation), dict(self.fitted.constants)
        for each in self.fitted.inputs:
            if each.place >= len(parts) or parts[each.place].shape != each.shape:
                raise PolicyError(f"policy {str(self._path)!r}: {each.name!r} takes {each.shape}, "
                                  "not an observation of shape "
                                  f"{', '.join(str(part.shape) for part in parts)}")
            feed[each.name] = each.feed(parts[each.place])
        return feed

    def _promise(self, feed: dict[str, NDArray[Any]], promised: Prefix) -> None:
        """Feed the inputs of a prefix, in the network's units."""
        fitted = self.fitted
        if not fitted.prefix:
            return
        problem = prefix.too_long(fitted.max_prefix, promised.promised)
        if problem:
            raise PolicyError(f"policy {str(self._path)!r} {problem}")
        rows = prefix.padded(promised, max(1, fitted.reading.horizon), self._actions)
        scaled = fitted.reading.normalization
        values = {prefix.CHUNK: rows if scaled is None else scaled.redo(rows),
                  prefix.DELAY: promised.promised, prefix.FINAL: promised.final}
        for each in fitted.prefix:
            value = np.asarray(values[each.name], each.dtype)
            feed[each.name] = (value[None] if each.name == prefix.CHUNK
                               else value.reshape(each.closed()))

    def _run(self, feed: dict[str, Any], worker: int, stop: Stop | None, memory: Memory | None
             ) -> NDArray[np.float32]:
        session = self._sessions[worker % len(self._sessions)]
        if self.fitted.states:
            if memory is None:
                raise PolicyError(f"policy {str(self._path)!r} {self.recurrent}: it needs its "
                                  "memory")
            feed.update(memory.feed)
        found = session.run(self._names, feed, onnx_session.options_of_run(stop))
        try:
            outputs = self.fitted.reading.read(found[0])
            if memory is not None:
                memory.keep(dict(zip(self._names, found, strict=True)))
        except PolicyError as error:
            raise PolicyError(f"policy {str(self._path)!r} {error}") from error
        return outputs

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

    def _warm_up(self, stop: Stop) -> None:
        """The first runs allocate; an overflow or NaN shows on the extremes, and open sizes."""
        for worker in range(len(self._sessions)):
            for end in ("low", "high"):
                feed: dict[str, Any] = {
                    **self.fitted.constants,
                    **{each.name: each.extreme(getattr(each, end)) for each in self.fitted.inputs}}
                if self.fitted.history:
                    feed[HISTORY_INPUT] = encode(
                        [(self._actions.noop,) * self.fitted.history], self._actions)
                self._promise(feed, Prefix())
                begin_ns = time.monotonic_ns()
                found = self._try(feed, worker, stop)
                self.alone_ns = max(self.alone_ns, time.monotonic_ns() - begin_ns)
                if self.fitted.reading.horizon < 0:  # left open in the file
                    self.fitted = replace(self.fitted, reading=replace(
                        self.fitted.reading, horizon=len(found)))

    def _try(self, feed: dict[str, Any], worker: int, stop: Stop) -> NDArray[np.float32]:
        try:
            return self._run(feed, worker, stop, self.memory())
        except PolicyError:
            raise
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            shapes = ", ".join(str([1, *each.shape]) for each in self.fitted.inputs)
            raise PolicyError(
                f"policy {str(self._path)!r} cannot be run on observations of shape "
                f"{shapes}: {' '.join(str(error).split())}") from error
