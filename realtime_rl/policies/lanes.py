"""How one worker uses a session: its inputs and outputs, and the buffers that they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Lane(Protocol):
    """One worker's way through a session. One thread at a time uses it."""

    def run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401 - ONNX Runtime's
            ) -> list[NDArray[Any]]:
        """Return the outputs of `names`; whatever ONNX Runtime raises."""


class HostLane:
    """What is fed and what comes out lies in the host's memory, where it is."""

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
    """Inputs are copied into buffers on a device that stay; page-locked memory is between.

    Weights that are inputs lie on the device once, for all lanes.
    """

    def __init__(self, session: Any, device: str, weights: Mapping[str, Any],  # noqa: ANN401
                 *, fixed: bool = False, pinned: Any = None) -> None:  # noqa: ANN401
        """Use `session`.

        Args:
            session: of ONNX Runtime.
            device: as ONNX Runtime calls it: `cuda`; `cpu` does the same in the host's memory.
            weights: `OrtValue`s on the device, by input.
            fixed: whether outputs, too, stay where they are, as a recorded run needs it.
            pinned: ONNX Runtime's description of page-locked memory; `None`: there is none.
        """
        self._session = session
        self._device = device
        self._fixed = fixed
        self._pinned = pinned
        self._binding = session.io_binding()
        self._buffers: dict[tuple[str, tuple[int, ...]], _Buffer] = {}
        self._bound: dict[str, _Buffer] = {}
        self._outputs: dict[str, Any] = {}
        for name, value in weights.items():
            self._binding.bind_ortvalue_input(name, value)

    def run(self, names: Sequence[str], feed: Arrays, options: Any  # noqa: ANN401
            ) -> list[NDArray[Any]]:
        """See `Lane`."""
        for name, value in feed.items():
            buffer = self._buffers.get((name, value.shape))  # of a batch there are some sizes
            if buffer is None:
                buffer = _Buffer(value, self._device, self._pinned)
                self._buffers[name, value.shape] = buffer
            if self._bound.get(name) is not buffer:
                self._bound[name] = buffer
                self._binding.bind_ortvalue_input(name, buffer.value)
            buffer.put(value)
        if not (self._fixed and self._outputs):
            self._binding.clear_binding_outputs()  # else those of another size would be reused
            for name in names:
                self._binding.bind_output(name, self._device)
        self._session.run_with_iobinding(self._binding, options)
        if self._fixed and not self._outputs:
            self._outputs = dict(zip(names, self._binding.get_outputs(), strict=True))
            for name, value in self._outputs.items():
                self._binding.bind_ortvalue_output(name, value)
        found: list[NDArray[Any]] = self._binding.copy_outputs_to_cpu()
        return found


class _Buffer:
    """Memory on a device for values of one shape and type, and page-locked memory before it."""

    def __init__(self, like: NDArray[Any], device: str, pinned: Any) -> None:  # noqa: ANN401
        from onnxruntime import OrtValue

        self.value = OrtValue.ortvalue_from_shape_and_type(like.shape, like.dtype, device)
        self._host: Any = None
        self._view: NDArray[Any] | None = None
        if pinned is not None:
            self._host, self._view = _viewed(like, pinned)

    def put(self, value: NDArray[Any]) -> None:
        if self._view is None:
            self.value.update_inplace(np.ascontiguousarray(value))
        else:
            np.copyto(self._view, value)
            self.value.update_inplace(self._host)


def _viewed(like: NDArray[Any], memory: Any  # noqa: ANN401 - ONNX Runtime's
            ) -> tuple[Any, NDArray[Any] | None]:
    """Return values in such memory, and an array that is the same memory; `None` without any."""
    from onnxruntime import OrtValue

    try:
        host = OrtValue.ortvalue_from_shape_and_type(like.shape, like.dtype, memory_info=memory)
        view = host.numpy()
    except Exception:  # there is no more of it than the system has
        return None, None
    # a copy would be written to in vain
    return (host, view) if view.ctypes.data == host.data_ptr() else (None, None)


def pinned_memory(provider: str) -> Any:  # noqa: ANN401 - ONNX Runtime's
    """Return how ONNX Runtime describes page-locked memory of a provider's device, or `None`.

    Where it has none to give, or is older, buffers are filled from the host's ordinary memory.
    """
    import onnxruntime

    try:
        for each in onnxruntime.get_ep_devices():
            if each.ep_name == provider:
                return each.memory_info(onnxruntime.OrtDeviceMemoryType.HOST_ACCESSIBLE)
    except Exception:  # it makes things faster, and no more
        return None
    return None
