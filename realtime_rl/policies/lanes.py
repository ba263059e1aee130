"""How one worker uses a session: its inputs and outputs, and the buffers that they are in."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from realtime_rl.policies.recorded_runs import Turns

Arrays = Mapping[str, NDArray[Any]]


class Lane(Protocol):
    """One worker's way through a session. One thread at a time uses it."""

    def run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401 - ONNX Runtime's
            ) -> list[NDArray[Any]]:
        """Return the outputs of `names`; whatever ONNX Runtime raises."""


class HostLane:
    """What is fed and what comes out lies in the host's memory, where it is.

    ONNX Runtime copies it to a GPU and back itself, and faster than by buffers bound to it.
    """

    def __init__(self, session: Any, weights: Arrays) -> None:  # noqa: ANN401 - ONNX Runtime's
        """Run `session`, feeding it with `weights`, too, where its graph takes them as inputs."""
        self._session = session
        self._weights = weights

    def run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401
            ) -> list[NDArray[Any]]:
        """See `Lane`."""
        found: list[NDArray[Any]] = self._session.run(
            list(names), {**self._weights, **feed} if self._weights else feed, options)
        return found


class DeviceLane:
    """Inputs are copied into buffers on a device that stay.

    Weights that are inputs lie on the device once, for all lanes.
    """

    def __init__(self, session: Any, device: str, weights: Mapping[str, Any],  # noqa: ANN401
                 *, turns: Turns | None = None) -> None:
        """Use `session`.

        Args:
            session: of ONNX Runtime.
            device: as ONNX Runtime calls it: `cuda`; `cpu` does the same in the host's memory.
            weights: `OrtValue`s on the device, by input.
            turns: where each thread's first run is recorded: who may, when. Outputs, too, stay
                where they are then.
        """
        self._session = session
        self._device = device
        self._turns = turns
        self._here = threading.local()
        self._binding = session.io_binding()
        self._buffers: dict[tuple[str, tuple[int, ...]], Any] = {}
        self._bound: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        for name, value in weights.items():
            self._binding.bind_ortvalue_input(name, value)

    def run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401
            ) -> list[NDArray[Any]]:
        """See `Lane`."""
        if self._turns is None:
            return self._run(names, feed, options)
        recorded = getattr(self._here, "recorded", False)  # ONNX Runtime does so for each thread
        with self._turns.together() if recorded else self._turns.alone():
            found = self._run(names, feed, options)
        self._here.recorded = True
        return found

    def _run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401
             ) -> list[NDArray[Any]]:
        from onnxruntime import OrtValue

        fixed = self._turns is not None
        for name, value in feed.items():
            key = name, value.shape  # of a batch there are some sizes
            if key not in self._buffers:
                self._buffers[key] = OrtValue.ortvalue_from_shape_and_type(
                    value.shape, value.dtype, self._device)
            buffer = self._buffers[key]
            if self._bound.get(name) is not buffer:
                self._bound[name] = buffer
                self._binding.bind_ortvalue_input(name, buffer)
            buffer.update_inplace(np.ascontiguousarray(value))
        if not (fixed and self._outputs):
            self._binding.clear_binding_outputs()  # else those of another size would be reused
            for name in names:
                self._binding.bind_output(name, self._device)
        self._session.run_with_iobinding(self._binding, options)
        if fixed and not self._outputs:
            self._outputs = dict(zip(names, self._binding.get_outputs(), strict=True))
            for name, value in self._outputs.items():
                self._binding.bind_ortvalue_output(name, value)
        found: list[NDArray[Any]] = self._binding.copy_outputs_to_cpu()
        return found
