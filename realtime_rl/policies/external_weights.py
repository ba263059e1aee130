"""ONNX policies whose weights are in other files (external data): read whole, hashed, then used.

ONNX Runtime could map such files itself. It is given what was read and hashed instead: a file that
is cut off while it is mapped ends the process (SIGBUS), one that is altered alters the policy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError, PolicyError

try:  # at the start: the first import takes long, and a policy is loaded while others act
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data
except ImportError:
    onnx = None

_CHUNK = 1 << 20
_MARK = b"\x0a\x08location\x12"
"""What every reference to another file has in it, as protobuf writes it."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a session is made from."""

    source: str | bytes
    """The path of a file that has everything; else the graph."""
    weights: dict[str, NDArray[np.generic]]
    """By name, those of other files. ONNX Runtime copies not all of them: keep them as long."""
    sha256: str
    """Of the file and those other files, as `PolicyUri` has it."""


def read(path: Path, sha256: str) -> Model:
    """Read a policy, and whatever files its weights are in.

    Args:
        path: the ONNX file.
        sha256: what it must hash to, with its other files as `PolicyUri` says; empty: anything.

    Raises:
        PolicyError: a file is absent, too short, altered, or outside the folder of `path`.
        MissingDependencyError: it has weights in other files, and onnx is not installed.
    """
    try:
        digest, refers = _scan(path)
        source: str | bytes = str(path)
        weights: dict[str, NDArray[np.generic]] = {}
        if refers:
            source = path.read_bytes()
            digest = hashlib.sha256(source)
            weights = _weights(path, source, digest)
    except OSError as error:
        name = error.filename or path
        raise PolicyError(
            f"policy {str(name)!r}: this host cannot read it ({error.strerror})") from error
    found = digest.hexdigest()
    if sha256 and found != sha256.lower():
        raise PolicyError(f"policy {str(path)!r}: SHA-256 is {found!r}, not the announced "
                          f"{sha256!r}")
    return Model(source, weights, found)


def _scan(path: Path) -> tuple[Any, bool]:
    """Hash a file; say whether it refers to others."""
    digest, refers, tail = hashlib.sha256(), False, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            refers = refers or _MARK in tail + chunk
            tail = chunk[-len(_MARK):]
    return digest, refers


def _weights(path: Path, graph: bytes, digest: Any  # noqa: ANN401 - hashlib's has no name
             ) -> dict[str, NDArray[np.generic]]:
    if onnx is None:
        raise MissingDependencyError("onnx", "cpu")
    try:
        tensors = [item for item in onnx.ModelProto.FromString(graph).graph.initializer
                   if uses_external_data(item)]
    except Exception as error:  # protobuf's errors have no public base class
        raise PolicyError(f"policy {str(path)!r} cannot be loaded: {error}") from error
    files: dict[str, NDArray[np.uint8]] = {}
    found: dict[str, NDArray[np.generic]] = {}
    for tensor in tensors:
        info = ExternalDataInfo(tensor)
        if info.location not in files:
            files[info.location] = _read_beside(path, info.location, digest)
        found[tensor.name] = _array(tensor, info.offset or 0, files[info.location], path)
    return found


def _read_beside(path: Path, location: str, digest: Any  # noqa: ANN401 - as above
                 ) -> NDArray[np.uint8]:
    """Read a file in the policy's folder, and hash it on the way."""
    if Path(location).is_absolute() or ".." in Path(location).parts:
        raise PolicyError(f"policy {str(path)!r} keeps weights in {location!r}, outside its "
                          "folder; put them beside it")
    with (path.parent / location).open("rb", buffering=0) as file:
        file.seek(0, 2)
        data = np.empty(file.tell(), np.uint8)
        file.seek(0)
        view, done = data.data, 0
        while count := file.readinto(view[done:done + _CHUNK]):
            digest.update(view[done:done + count])
            done += count
    return data[:done]


def _array(tensor: Any, offset: int, data: NDArray[np.uint8], path: Path  # noqa: ANN401 - onnx's
           ) -> NDArray[np.generic]:
    """Return a weight as a view of its file."""
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    if dtype.kind not in "fiub":
        raise PolicyError(f"policy {str(path)!r}: weight {tensor.name!r} is {dtype.name!r}, which "
                          "cannot be in another file; write the policy as one file")
    shape = tuple(tensor.dims)
    end = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if end > data.size:
        raise PolicyError(f"policy {str(path)!r}: its weights are cut off: {tensor.name!r} ends at "
                          f"byte {end:,} of a file of {data.size:,}")
    return np.require(np.ndarray(shape, dtype, data, offset), requirements=["C", "A"])
