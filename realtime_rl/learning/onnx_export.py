"""Writes a network as an ONNX policy with its metadata, as often as it is refreshed.

Tracing a network takes seconds when it is large, and its graph never changes: it is traced once,
then only the weights in the graph are replaced.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import deque
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.policy_uri import PolicyUri
from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.files import sha256_of, write_atomically
from realtime_rl.learning import networks
from realtime_rl.learning.heads import PLAIN, Head

INPUT_NAME = "observation"
OUTPUT_NAME = "outputs"
PRODUCER = "realtime_rl"
_OPSET = 17
_PROTOBUF_LIMIT = 2**31
"""Bytes of one protobuf message."""
_FLOAT32 = 4
_DTYPES = {"uint8": torch.uint8, "float32": torch.float32}


class PolicyExporter:
    """Writes the versions of one network into a folder, and keeps the newest few."""

    def __init__(self, network: nn.Module, folder: Path, keep: int = 5) -> None:
        """Export `network` to `folder/policy-000017.onnx` and so on.

        Args:
            network: its weights are read at each `export`.
            folder: made when absent.
            keep: how many versions stay; a policy is read soon after it is announced.
        """
        self._network = network
        self._folder = folder
        self._keep = max(keep, 1)
        self._model: onnx.ModelProto | None = None
        self._written: deque[Path] = deque()

    def export(self, metadata: PolicyMetadata) -> PolicyUri:
        """Write the present weights as `metadata.version`; return where, with the SHA-256.

        Raises:
            PolicyError: the folder cannot be written to.
        """
        if self._model is None or not _replace_weights(self._model, self._network):
            self._model = trace(self._network, metadata)
        uri = _write(self._model, metadata, self._folder / f"policy-{metadata.version:06d}.onnx")
        self._written.append(uri.path)
        while len(self._written) > self._keep:
            self._written.popleft().unlink(missing_ok=True)
        return uri


def export(network: nn.Module, metadata: PolicyMetadata, path: Path) -> PolicyUri:
    """Write one policy file; `PolicyError` when it cannot be written."""
    return _write(trace(network, metadata), metadata, path)


def initial_policy(
    path: Path, *, network: str, observation: ObservationSpec, stack: int, actions: ActionSpace,
    seed: int, head: Head = PLAIN, history: int = 0
) -> PolicyUri:
    """Write the untrained policy that a learner with the same arguments starts from, version 0."""
    metadata = PolicyMetadata(
        input_name=INPUT_NAME, observation=observation, stack=stack, actions=actions, version=0,
        training_step=0, epsilon=1.0, producer=PRODUCER,
        outputs="q_values" if actions.discrete else "action", action_history=history)
    built = networks.build(network, observation, stack, actions, seed, head=head,
                           history=history)
    return export(built, metadata, path)


def trace(network: nn.Module, metadata: PolicyMetadata) -> onnx.ModelProto:
    """Return the network as an ONNX graph whose weights keep their torch names.

    Raises:
        PolicyError: the weights exceed what one ONNX file can hold.
    """
    if (size := networks.parameter_count(network) * _FLOAT32) >= _PROTOBUF_LIMIT:
        raise PolicyError(f"a policy of {size / 1e9:.1f} GB exceeds the 2 GB of an ONNX file; "
                          "take a network of fewer weights")
    inputs = {metadata.input_name: torch.zeros(
        1, *metadata.input_shape, dtype=_DTYPES[metadata.observation.dtype])}
    if metadata.action_history:
        inputs[HISTORY_INPUT] = torch.zeros(1, metadata.action_history, metadata.actions.size)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "traced.onnx"
        # The newer exporter needs onnxscript and is slower; the older one is deprecated only.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network, tuple(inputs.values()), path, dynamo=False, opset_version=_OPSET,
                          do_constant_folding=False, input_names=list(inputs),
                          output_names=[OUTPUT_NAME])
        return onnx.load(path)


def _replace_weights(model: onnx.ModelProto, network: nn.Module) -> bool:
    """Return whether every weight in the graph is one of torch's by name, and was replaced."""
    weights: dict[str, Tensor] = network.state_dict()
    if any(initializer.name not in weights for initializer in model.graph.initializer):
        return False
    for initializer in model.graph.initializer:
        array = weights[initializer.name].detach().cpu().numpy()
        initializer.CopyFrom(numpy_helper.from_array(array, initializer.name))
    return True


def _write(model: onnx.ModelProto, metadata: PolicyMetadata, path: Path) -> PolicyUri:
    del model.metadata_props[:]
    for key, value in metadata.to_props().items():
        model.metadata_props.add(key=key, value=value)
    path = path.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, model.SerializeToString())
    except OSError as error:
        raise PolicyError(f"policy {str(path)!r} cannot be written: {error.strerror}") from error
    return PolicyUri(path, sha256_of(path))
