"""What an ONNX Runtime session declares, and whether it fits the plant as it is said to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy import fitting, said
from realtime_rl.core.policy.fitting import Fitted, Plant
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.tensors import Graph, Tensor
from realtime_rl.files import user_path
from realtime_rl.policies import foreign_metadata, io_descriptors

_MOST_BYTES = 64_000_000
"""Of a constant's file."""


def graph_of(session: Any) -> Graph:  # noqa: ANN401 - ONNX Runtime's
    """Return what a session declares."""
    return Graph(_tensors(session.get_inputs()), _tensors(session.get_outputs()),
                 session.get_modelmeta().custom_metadata_map)


def fit(graph: Graph, plant: Plant, options: PolicyOptions) -> Fitted:
    """See `fitting.fit`; what is said in files beside the policy is read here."""
    return fitting.fit(graph, plant, said.merge(sources(graph, options)), options.stack,
                       options.period_ns)


def sources(graph: Graph, options: PolicyOptions) -> list[Said]:
    """Return all that is said of a policy, source by source; `PolicyError`."""
    found = [said.from_props(graph.props)]
    if options.foreign:
        found += foreign_metadata.read(graph.props, [each.name for each in graph.outputs])
    if options.descriptors:
        found.append(io_descriptors.read(user_path(options.descriptors)))
    arrays = {name: _array(name, user_path(path)) for name, path in options.files.items()}
    return [*found, options.said(arrays)]


def _tensors(nodes: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple(Tensor(node.name, node.type, tuple(node.shape)) for node in nodes)


def _array(name: str, path: Path) -> NDArray[Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PolicyError(f"constant {name!r}: {str(path)!r} has more than {_MOST_BYTES:,} "
                              "bytes")
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PolicyError(f"constant {name!r}: {str(path)!r} cannot be read: {error}") from error
    if not isinstance(found, np.ndarray):
        raise PolicyError(f"constant {name!r}: {str(path)!r} is no single array; write it with "
                          "numpy.save")
    return found
