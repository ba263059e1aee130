"""An ONNX policy: loaded, checked against the plant, warmed up, and run by several threads."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError, PolicyError
from realtime_rl.core.experience.action_history import History, encode
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.observations import Observation, Observations, split
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.policies import external_weights, onnx_signature, providers
from realtime_rl.policies.policy_files import Limits
from realtime_rl.policies.stop import Stop

Expected = tuple[Observations, ActionSpace]
"""What the plant gives and takes; a policy must fit it."""


class OnnxPolicy:
    """A policy in one or more ONNX Runtime sessions. Threads may share it; nothing in it changes.

    Make one with `load`.
    """

    def __init__(self, sessions: list[Any], path: Path, fitted: onnx_signature.Fitted,
                 actions: ActionSpace, model: external_weights.Model) -> None:
        """Wrap sessions of one checked file; `load` is the way to get one."""
        self._sessions = sessions
        self._model = model  # its weights are the sessions'
        self._fitted = fitted
        self._path = path
        self._actions = actions
        self.provider: str = providers.name_of(sessions[0].get_providers()[0])
        """What really computes: `cpu`, `cuda` or `tensorrt`."""
        self.fallback = ""
        """Why that is not what was asked for; empty when it is."""
        self.warnings: tuple[str, ...] = fitted.warnings
        self.alone_ns = 0
        """What an inference took at most when it was warmed up [ns]."""

    @staticmethod
    def load(
        path: Path, expected: Expected, provider: str = "auto", threads: int = 1, sha256: str = "",
        *, sessions: int = 1, stack: int = 0, limits: Limits | None = None,
        stop: Stop | None = None,
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
            stack: observations that a file without metadata takes; 0: one.
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
        limits = replace(limits or Limits(), sessions=sessions)
        model = external_weights.read(path, sha256, limits)
        try:
            opened = [_session(path, model, provider, threads, stop) for _ in range(sessions)]
        finally:
            model.close()
        session, fallback = opened[0]
        try:
            fitted = onnx_signature.fit(session, expected, stack)
        except PolicyError as error:
            raise PolicyError(f"policy {str(path)!r}: {error}") from error
        policy = OnnxPolicy([each for each, _ in opened], path, fitted, expected[1], model)
        policy.fallback = fallback
        policy._warm_up(stop)
        return policy

    @property
    def metadata(self) -> PolicyMetadata | None:
        """What the file says about itself; `None` when it says nothing."""
        return self._fitted.metadata

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
        return self._fitted.stack

    @property
    def inputs(self) -> tuple[onnx_signature.Input, ...]:
        """What `infer` feeds with the parts of an observation."""
        return self._fitted.inputs

    @property
    def action_history(self) -> int:
        """How many applied actions `infer` needs beside the observation."""
        return self._fitted.history

    def infer(self, observation: Observation, history: History = (), *, worker: int = 0,
              stop: Stop | None = None) -> NDArray[np.float32]:
        """Run the network on one stacked observation; return its outputs, shape `(outputs,)`.

        Args:
            observation: as many joined as `stack` says.
            history: the last `action_history` applied actions, oldest first.
            worker: index of the caller: different ones share as few of several sessions as can be.
            stop: ends it between two steps of the network; it then raises what ONNX Runtime does.

        Raises:
            PolicyError: the observation has another shape, the history another length, or what
                comes out is no action: of another shape, or not finite. Of choices some may be
                `-inf`, as those that are masked.
        """
        feed = self._feed(observation)
        if len(history) != self._fitted.history:
            raise PolicyError(f"policy {str(self._path)!r} takes the last {self._fitted.history} "
                              f"applied actions beside the observation, not {len(history)}")
        if history:
            feed[HISTORY_INPUT] = encode([history], self._actions)
        return self._run(feed, worker, stop)

    def _feed(self, observation: Observation) -> dict[str, NDArray[np.generic]]:
        parts, feed = split(observation), {}
        for each in self._fitted.inputs:
            if each.place >= len(parts) or parts[each.place].shape != each.shape:
                raise PolicyError(f"policy {str(self._path)!r}: {each.name!r} takes {each.shape}, "
                                  "not an observation of shape "
                                  f"{', '.join(str(part.shape) for part in parts)}")
            feed[each.name] = parts[each.place][None].astype(each.dtype, copy=False)
        return feed

    def _run(self, feed: dict[str, Any], worker: int, stop: Stop | None) -> NDArray[np.float32]:
        session = self._sessions[worker % len(self._sessions)]
        found = session.run(None, feed, _options(stop))[0]
        if found.shape != (1, self._actions.size):
            raise PolicyError(f"policy {str(self._path)!r} gives outputs of shape "
                              f"{list(found.shape)}, the plant's actions need "
                              f"[1, {self._actions.size}]")
        outputs = cast(NDArray[np.float32], found[0])
        # the largest of them is finite only if none is NaN, none +inf and not all are -inf
        judged = outputs.max() if self._actions.discrete else outputs
        if not np.isfinite(judged).all():
            raise PolicyError(f"policy {str(self._path)!r} gives non-finite outputs: {outputs}")
        return outputs

    def act(self, outputs: NDArray[np.float32]) -> Action:
        """Return the action: the choice of the largest value, or the values within limits."""
        if self._actions.discrete:
            return (float(outputs.argmax()),)
        clipped = np.clip(outputs, self._actions.low, self._actions.high)
        return tuple(float(value) for value in clipped)

    def _warm_up(self, stop: Stop) -> None:
        """The first runs allocate; an overflow or NaN shows on the extremes, and open sizes."""
        inputs, history = self._fitted.inputs, self._fitted.history
        for worker in range(len(self._sessions)):
            for end in ("low", "high"):
                begin_ns = time.monotonic_ns()
                feed: dict[str, Any] = {
                    each.name: np.full((1, *each.shape), getattr(each, end), each.dtype)
                    for each in inputs}
                if history:
                    feed[HISTORY_INPUT] = encode([(self._actions.noop,) * history], self._actions)
                self._try(feed, worker, stop)
                self.alone_ns = max(self.alone_ns, time.monotonic_ns() - begin_ns)

    def _try(self, feed: dict[str, Any], worker: int, stop: Stop) -> None:
        try:
            self._run(feed, worker, stop)
        except PolicyError:
            raise
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            shapes = ", ".join(str([1, *each.shape]) for each in self._fitted.inputs)
            raise PolicyError(
                f"policy {str(self._path)!r} cannot be run on observations of shape "
                f"{shapes}: {' '.join(str(error).split())}") from error


class Loader:
    """Loads policies for one plant and one provider by URI: what `HotSwap` calls."""

    def __init__(self, expected: Expected, provider: str = "auto", threads: int = 1,
                 sessions: int = 1, *, stack: int = 0, limits: Limits | None = None,
                 own: str | None = None) -> None:
        """Keep what `OnnxPolicy.load` needs beside the URI.

        `own` is the URI that this host's own configuration names: that one needs no hash and may
        be anywhere. Any other was announced by anybody; `None`: all are this host's own.
        """
        self._sessions = sessions
        self._stack = stack
        self._expected = expected
        self._provider = provider
        self._threads = threads
        self._limits = limits or Limits()
        self._own = own

    def __call__(self, uri: str, stop: Stop | None = None) -> OnnxPolicy:
        """Load the policy that `uri` names; errors as in `OnnxPolicy.load`.

        `PolicyError`, too, for one that anybody announced without its hash.
        """
        parsed, limits = PolicyUri.parse(uri), self._limits
        if self._own in (None, uri):
            limits = replace(limits, root=None)
        elif limits.root is None:
            raise PolicyError(f"policy URI {uri!r}: no policies are taken, as there is no "
                              "policy_root, nor a policy to start from whose folder would be it")
        elif not parsed.sha256:
            raise PolicyError(f"policy URI {uri!r} has no hash; announce it with '#sha256=…', as "
                              "`realtime-rl export` writes it")
        return OnnxPolicy.load(parsed.path, self._expected, self._provider, self._threads,
                               parsed.sha256, sessions=self._sessions, stack=self._stack,
                               limits=limits, stop=stop)


def _options(stop: Stop | None) -> Any:  # noqa: ANN401 - ONNX Runtime's
    """Return the options of a run that `stop` ends; `None` where nobody would."""
    if stop is None:
        return None
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    stop.on_ask(lambda: setattr(options, "terminate", True))
    return options


def _session(path: Path, model: external_weights.Model, provider: str, threads: int,
             stop: Stop) -> tuple[Any, str]:
    """Return an ONNX Runtime session, and why it does not use the provider asked for."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError("onnxruntime", "cpu") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning thread would take the core that the plant or another worker needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised and reported here
    if hasattr(options, "set_load_cancellation_flag"):  # not in older releases
        stop.on_ask(lambda: options.set_load_cancellation_flag(True))
    wanted = providers.wanted(provider, onnxruntime.get_available_providers())
    if "CUDAExecutionProvider" in wanted and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # the system's loader does not look where pip installs CUDA's
    try:
        if model.weights:
            options.add_external_initializers(
                list(model.weights),
                [onnxruntime.OrtValue.ortvalue_from_numpy(each) for each in model.weights.values()])
        session = onnxruntime.InferenceSession(model.source, options, providers=wanted)
    except Exception as error:  # ONNX Runtime has no common base class for its errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PolicyError(f"policy {str(path)!r} cannot be loaded: {reason}") from error
    actual = providers.name_of(session.get_providers()[0])
    return session, providers.fallback_message(provider, actual)
