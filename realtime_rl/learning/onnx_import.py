"""Takes the weights of an exported policy back into a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.learning.heads import acting_weights


def load_weights(network: nn.Module, path: Path, wanted: PolicyMetadata) -> PolicyMetadata | None:
    """Copy the weights of the ONNX file at `path`, all of them or none, into `network`.

    The deviations of a noisy network's noise are in no policy and stay as they are.

    Args:
        network: of any kind that `networks.build` makes.
        path: a policy that the same kind of network was exported to.
        wanted: what the network would be exported with.

    Returns:
        What the file says of itself; `None` for one that says nothing.

    Raises:
        PolicyError: the file cannot be read, or is of another plant or network.
    """
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's errors have no public base class
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PolicyError(f"policy {str(path)!r} cannot be read: {reason}") from error
    metadata = PolicyMetadata.from_props({prop.key: prop.value for prop in model.metadata_props})
    if metadata is not None and (unlike := wanted.difference(metadata)):
        raise PolicyError(f"policy {str(path)!r} is of another plant or network: {unlike}")
    given = {item.name: torch.from_numpy(np.array(numpy_helper.to_array(item)))
             for item in model.graph.initializer}
    weights = acting_weights(network)
    unfit = [name for name, weight in weights.items()
             if name not in given or given[name].shape != weight.shape]
    if unfit:
        raise PolicyError(f"policy {str(path)!r} is of another network: {unfit[0]!r} does not fit")
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(given[name])
    return metadata
