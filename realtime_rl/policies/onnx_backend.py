"""What computes a policy: ONNX Runtime, on one device, in lanes of which each worker has one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.tensors import Graph
from realtime_rl.policies import (
    external_weights,
    onnx_session,
    onnx_signature,
    providers,
    refitting,
)
from realtime_rl.policies.compute import GPU, Compute
from realtime_rl.policies.lanes import Arrays, DeviceLane, HostLane, Lane
from realtime_rl.policies.recorded_runs import TURNS
from realtime_rl.policies.stop import Stop


class Backend(Protocol):
    """What a policy needs of whatever computes it. Threads may share it, each with its lane."""

    graph: Graph
    """What the file declares."""
    provider: str
    """What really computes: `cpu`, `cuda` or `tensorrt`."""
    remarks: tuple[str, ...]
    """What is not as it was asked for."""
    sessions: int
    """That lanes share: lane `n` uses the `n % sessions`th."""

    def run(self, names: Sequence[str], feed: Arrays, lane: int, stop: Stop | None
            ) -> list[NDArray[Any]]:
        """Return the outputs of `names`; whatever the runtime raises, also where `stop` ends it."""

    def refit(self, lifted: refitting.Lifted) -> Backend | None:
        """Return one that computes with other weights; `None` where the graph is another one."""


class OnnxBackend:
    """Sessions of ONNX Runtime. Make one with `load`."""

    def __init__(self, sessions: list[Any], graph: Graph, remarks: tuple[str, ...],
                 make: Callable[[Any], Lane], *, keep: object, digest: str = "",
                 compute: Compute) -> None:
        """Wrap sessions; `load` is the way to get one.

        Args:
            sessions: of one checked file.
            graph: what it declares.
            remarks: what is not as it was asked for.
            make: makes a lane of one of them.
            keep: what they look at as long as they live.
            digest: of the graph, where its weights are its inputs.
            compute: what was asked for.
        """
        self._sessions = sessions
        self._make = make
        self._keep = keep
        self._digest = digest
        self._compute = compute
        self._lanes: dict[int, Lane] = {}
        self.graph = graph
        self.provider = providers.name_of(sessions[0].get_providers()[0])
        self.remarks = remarks
        self.sessions = len(sessions)

    def __del__(self) -> None:
        """A session ends when no run is being recorded."""
        if self._compute.cuda_graph:
            TURNS.retire(self._sessions, self._lanes)

    @staticmethod
    def load(path: Path, model: external_weights.Model, compute: Compute, stop: Stop
             ) -> OnnxBackend:
        """Make the sessions of a policy that was read; errors as of `onnx_session.open_session`."""
        lifted = refitting.lift(model) if compute.refit else None
        remark = ""
        if lifted is not None:
            try:
                return OnnxBackend._of_lifted(path, lifted, compute, stop)
            except PolicyError as error:  # as of an operator that has to know its weights
                remark = f"a new version is built anew, as this graph does not take others: {error}"
        with TURNS.together() if compute.cuda_graph else contextlib.nullcontext():
            TURNS.bury()
            opened = [onnx_session.open_session(path, model, compute, stop)
                      for _ in range(compute.sessions)]
        sessions = [each for each, _ in opened]
        return OnnxBackend(
            sessions, onnx_signature.graph_of(sessions[0]),
            tuple(filter(None, (opened[0][1], remark))),
            _lane_maker(sessions[0], {}, compute), keep=model, compute=compute)

    @staticmethod
    def _of_lifted(path: Path, lifted: refitting.Lifted, compute: Compute, stop: Stop
                   ) -> OnnxBackend:
        opened = [onnx_session.open_session(path, lifted.model, compute, stop, lifted.digest)
                  for _ in range(compute.sessions)]
        sessions = [each for each, _ in opened]
        return OnnxBackend._with_weights(sessions, lifted, tuple(filter(None, (opened[0][1],))),
                                         compute, lifted.model)

    @staticmethod
    def _with_weights(sessions: list[Any], lifted: refitting.Lifted, remarks: tuple[str, ...],
                      compute: Compute, keep: object) -> OnnxBackend:
        declared = onnx_signature.graph_of(sessions[0])
        graph = Graph(tuple(each for each in declared.inputs if each.name not in lifted.weights),
                      declared.outputs, lifted.props)
        return OnnxBackend(sessions, graph, remarks,
                           _lane_maker(sessions[0], lifted.weights, compute), keep=keep,
                           digest=lifted.digest, compute=compute)

    def refit(self, lifted: refitting.Lifted) -> OnnxBackend | None:
        """See `Backend`."""
        if not self._digest or lifted.digest != self._digest:
            return None
        return OnnxBackend._with_weights(self._sessions, lifted, self.remarks, self._compute,
                                         self._keep)

    def run(self, names: Sequence[str], feed: Arrays, lane: int, stop: Stop | None
            ) -> list[NDArray[Any]]:
        """See `Backend`."""
        found = self._lanes.get(lane)
        if found is None:
            found = self._lanes[lane] = self._make(self._sessions[lane % self.sessions])
        return found.run(names, feed, onnx_session.options_of_run(stop))


def _lane_maker(session: Any, weights: Arrays, compute: Compute  # noqa: ANN401 - ONNX Runtime's
                ) -> Callable[[Any], Lane]:
    """Return what makes a lane of a session, the weights being where it computes."""
    on_gpu = providers.name_of(session.get_providers()[0]) in GPU
    if not on_gpu or not (weights or compute.cuda_graph):
        return lambda session: HostLane(session, weights)
    from onnxruntime import OrtValue

    there = {name: OrtValue.ortvalue_from_numpy(value, "cuda")
             for name, value in weights.items()}
    return lambda session: DeviceLane(session, "cuda", there,
                                      turns=TURNS if compute.cuda_graph else None)
