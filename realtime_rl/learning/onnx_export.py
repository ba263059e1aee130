"""Writes a network as an ONNX policy with its metadata, as often as it is refreshed.

Tracing a network takes seconds when it is large, and its graph never changes: it is traced once.
What a refresh writes of a large network is its weights, straight from the network's memory, and
the few kilobytes of the graph that names them.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import onnx
from torch import nn

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.observations import Observations
from realtime_rl.core.types import ActionSpace
from realtime_rl.files import write_atomically
from realtime_rl.learning import networks, onnx_graph
from realtime_rl.learning.heads import PLAIN, Head
from realtime_rl.learning.onnx_import import load_weights

PRODUCER = "realtime_rl"
WEIGHTS_SUFFIX = ".safetensors"
REFRESH_INLINE_BYTES = 1 << 24
"""Weights of a refresh that are more than this [bytes] are in a file of their own."""
INLINE_BYTES = (1 << 31) - (1 << 20)
"""So are weights of any policy: a protobuf message has less than 2 GiB, the graph included."""


def input_name(observation: Observations) -> str:
    """Return the names of a network's inputs, as metadata have them: those of the parts."""
    return " ".join(part.name for part in observation.parts)


class PolicyExporter:
    """Writes the versions of one network into a folder, and keeps the newest few."""

    def __init__(self, network: nn.Module, folder: Path, keep: int = 5, *,
                 earlier: Iterable[int] = (), inline_bytes: int = REFRESH_INLINE_BYTES) -> None:
        """Export `network` to `folder/policy-000017.onnx` and so on.

        Args:
            network: its weights are read at each `export`.
            folder: made when absent.
            keep: how many versions stay, as a policy is read soon after it is announced; 0: all.
            earlier: versions in the folder that count among those, as of a learner that died.
            inline_bytes: weights of so many bytes at most are in the ONNX file itself.
        """
        self._network = network
        self._folder = folder
        self._keep = keep or sys.maxsize
        self._inline_bytes = inline_bytes
        self._graph: onnx.ModelProto | None = None
        self._written: deque[int] = deque(sorted(earlier))

    def path(self, version: int) -> Path:
        """Return where a version is, or was."""
        return self._folder / f"policy-{version:06d}.onnx"

    def export(self, metadata: PolicyMetadata) -> PolicyUri:
        """Write the present weights as `metadata.version`; return where, with the SHA-256.

        Raises:
            PolicyError: the folder cannot be written to. Every earlier version is as it was.
        """
        if self._graph is None:
            self._graph = onnx_graph.trace(self._network, metadata)
        uri = _write(self._graph, self._network, metadata, self.path(metadata.version),
                     self._inline_bytes)
        self._written.append(metadata.version)
        while len(self._written) > self._keep:
            old = self.path(self._written.popleft())
            for path in (old, old.with_suffix(WEIGHTS_SUFFIX)):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        return uri


def export(network: nn.Module, metadata: PolicyMetadata, path: Path) -> PolicyUri:
    """Write one policy, with its weights beside it when they exceed what one ONNX file can hold.

    Raises:
        PolicyError: it cannot be written.
    """
    return _write(onnx_graph.trace(network, metadata), network, metadata, path, INLINE_BYTES)


def initial_policy(
    path: Path, *, network: str, observation: Observations, stack: int, actions: ActionSpace,
    seed: int, head: Head = PLAIN, history: int = 0, weights: Path | None = None
) -> PolicyUri:
    """Write the policy that a learner with the same arguments starts from, as version 0.

    Args:
        path: of the file to write.
        network: its name, with `observation`, `stack`, `actions`, `head` and `history` as the
            learner's parameters have them.
        observation: one observation of the plant.
        stack: observations joined.
        actions: what the plant takes.
        seed: of untrained weights.
        head: the network's.
        history: applied actions in the input.
        weights: a policy of the same network whose weights, and whose exploration, are taken.

    Raises:
        PolicyError: `weights` cannot be read or is of another network or plant, or `path` cannot
            be written.
    """
    metadata = PolicyMetadata(
        input_name=input_name(observation), observation=observation, stack=stack,
        actions=actions, version=0, training_step=0, epsilon=1.0, producer=PRODUCER,
        outputs="q_values" if actions.discrete else "action", action_history=history)
    built = networks.build(network, observation, stack, actions, seed, head=head,
                           history=history)
    if weights is not None:
        said = load_weights(built, weights, metadata)
        if said is not None:
            metadata = replace(metadata, epsilon=said.epsilon, training_step=said.training_step)
    return export(built, metadata, path)


def _write(graph: onnx.ModelProto, network: nn.Module, metadata: PolicyMetadata, path: Path,
           inline_bytes: int) -> PolicyUri:
    """Write the weights' file first, if there is one: what has a graph has its weights."""
    path, values = path.absolute(), onnx_graph.weights(graph, network)
    beside = path.with_suffix(WEIGHTS_SUFFIX)
    parts: list[bytes | memoryview] = []
    if sum(value.nbytes for value in values) <= inline_bytes:
        model = onnx_graph.embed(graph, values)
    else:
        model, header = onnx_graph.refer(graph, beside.name)
        parts = [header, *(value.reshape(-1).view("u1").data for value in values)]
    for key, text in metadata.to_props().items():
        model.metadata_props.add(key=key, value=text)
    content = model.SerializeToString()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if parts:
            write_atomically(beside, *parts)
        try:
            write_atomically(path, content)
        except OSError:
            if parts:  # without its graph it is of no use, and large
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PolicyError(f"policy {str(path)!r} cannot be written: {error.strerror}") from error
    return PolicyUri(path.resolve(), _sha256(content, *parts))


def _sha256(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
