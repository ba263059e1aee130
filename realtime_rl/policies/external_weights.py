"""An ONNX policy and the files that its weights are in (external data): read once, hashed, used.

ONNX Runtime could open such files itself. It is given what was read and hashed instead: a file that
is cut off while it is mapped ends the process (SIGBUS), one that is altered alters the policy.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError, PolicyError
from realtime_rl.policies import onnx_walk
from realtime_rl.policies.policy_files import CHUNK, Limits, PolicyFiles, chunks

try:  # at the start: the first import takes long, and a policy is loaded while others act
    import onnx
except ImportError:
    onnx = None

_WEIGHT = ("graph", "initializer")
"""Where tensors are whose values ONNX Runtime takes beside the graph; others go into it."""


@dataclass(frozen=True, slots=True)
class Model:
    """What sessions are made from; close it once they are there."""

    source: str | bytes
    """The graph, or a path under which this process alone finds what was read."""
    weights: dict[str, NDArray[np.generic]]
    """By name, those of other files. ONNX Runtime copies not all of them: keep them as long."""
    sha256: str
    """Of the file and those other files, as `PolicyUri` has it."""
    held: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)

    def close(self) -> None:
        """Let go of what was read, but for the weights."""
        self.held.close()


def read(path: Path, sha256: str, limits: Limits | None = None) -> Model:
    """Read a policy, and whatever files its weights are in.

    Args:
        path: the ONNX file.
        sha256: what it must hash to, with its other files as `PolicyUri` says; empty: anything.
        limits: where it may be and how large; else the usual ones, and anywhere.

    Raises:
        PolicyError: a file is absent, no regular file, too large, too short, altered, or outside
            the folder of `path`; the first is no ONNX file.
        MissingDependencyError: it has weights in other files, and onnx is not installed.
    """
    files, digest = PolicyFiles(path, limits or Limits()), hashlib.sha256()
    with ExitStack() as held:
        try:
            source, view = _copy(files, path, digest, held)
            weights: dict[str, NDArray[np.generic]] = {}
            if _refers(path, view):
                source, weights = _with_weights(path, bytes(view), files, digest)
        except OSError as error:
            name = error.filename or path
            raise PolicyError(
                f"policy {str(name)!r}: this host cannot read it ({error.strerror})") from error
        found = str(digest.hexdigest())
        if sha256 and found != sha256.lower():
            raise PolicyError(f"policy {str(path)!r}: SHA-256 is {found!r}, not the announced "
                              f"{sha256!r}")
        return Model(source, weights, found, held.pop_all())


def sha256_of(path: Path) -> str:
    """Return what a policy hashes to, its other files with it; errors as in `read`."""
    model = read(path, "")
    model.close()
    return model.sha256


def _copy(files: PolicyFiles, path: Path, digest: Any,  # noqa: ANN401 - hashlib's has no name
          held: ExitStack) -> tuple[str | bytes, memoryview]:
    """Copy the ONNX file into memory, hashed on the way; return it for ONNX Runtime and for us.

    In a file without a name where the system has such: ONNX Runtime reads it part by part, where
    bytes would be there four times.
    """
    file, size = files.open(path)
    with file:
        if not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
            content = b"".join(chunks(file, size))
            digest.update(content)
            return content, memoryview(content)
        copy = held.enter_context(os.fdopen(os.memfd_create("policy"), "w+b"))
        for chunk in chunks(file, size):
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
    if not copy.tell():
        return b"", memoryview(b"")
    mapped = held.enter_context(mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ))
    return f"/proc/self/fd/{copy.fileno()}", held.enter_context(memoryview(mapped))


def _refers(path: Path, content: memoryview) -> bool:
    try:
        if not content:
            raise ValueError("it is empty")
        return onnx_walk.references(content) > 0
    except ValueError as error:
        raise PolicyError(f"policy {str(path)!r} cannot be loaded, it is no ONNX file: "
                          f"{error}") from error


def _with_weights(path: Path, content: bytes, files: PolicyFiles,
                  digest: Any  # noqa: ANN401 - as above
                  ) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    """Return the graph, whose only references left are those of the weights returned beside it."""
    if onnx is None:
        raise MissingDependencyError("onnx", "cpu")
    found: dict[str, NDArray[np.generic]] = {}
    read: dict[str, NDArray[np.uint8]] = {}
    try:
        model = onnx.ModelProto.FromString(content)
        used = {name for node, _ in _below(model, "NodeProto", ()) for name in node.input}
        for tensor, where in list(_below(model, "TensorProto", ())):
            if tensor.data_location != onnx.TensorProto.EXTERNAL:
                tensor.ClearField("external_data")  # without meaning, and no reader's business
                continue
            weight = _weight(tensor, path, files, read, digest)
            # ONNX Runtime leaves out what nobody uses, and then knows nothing of it
            if where == _WEIGHT and tensor.name in used and tensor.name not in found:
                found[tensor.name] = weight
            else:
                tensor.ClearField("external_data")
                tensor.ClearField("data_location")
                tensor.raw_data = weight.tobytes()
        return model.SerializeToString(), found
    except (PolicyError, OSError):
        raise
    except Exception as error:  # protobuf's errors have no public base class
        raise PolicyError(f"policy {str(path)!r} cannot be loaded: {error}") from error


def _below(message: Any, kind: str, where: tuple[str, ...]  # noqa: ANN401 - protobuf's
           ) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Every message of a kind in a model, as the file has them, and the fields that lead there."""
    for each, value in message.ListFields():
        if each.message_type is None:
            continue
        below = (*where, each.name)
        for item in [value] if hasattr(value, "ListFields") else list(value):
            if each.message_type.name == kind:
                yield item, below
            yield from _below(item, kind, below)


def _weight(tensor: Any, path: Path, files: PolicyFiles,  # noqa: ANN401 - onnx's
            read: dict[str, NDArray[np.uint8]], digest: Any) -> NDArray[np.generic]:  # noqa: ANN401
    """Return what a tensor refers to, as a view of the file, which is read when it comes first."""
    said = {entry.key: entry.value for entry in tensor.external_data}
    location, what = said.get("location", ""), f"policy {str(path)!r}: weight {tensor.name!r}"
    parts = Path(location).parts
    if not parts or Path(location).is_absolute() or ".." in parts or "\0" in location:
        raise PolicyError(f"policy {str(path)!r} keeps weights in {location!r}, outside its "
                          "folder; put them beside it")
    shape, dtype = tuple(tensor.dims), _dtype(tensor.data_type)
    if dtype is None:
        name = onnx.TensorProto.DataType.Name(tensor.data_type).lower()
        raise PolicyError(f"{what} is {name!r}, which cannot be in another file; write the policy "
                          "as one file")
    size = math.prod(shape) * dtype.itemsize
    offset, length = _number(said.get("offset", "0")), _number(said.get("length", str(size)))
    if min(shape, default=0) < 0 or offset < 0 or length != size:
        raise PolicyError(f"{what} of shape {list(shape)} cannot be {said.get('length', size)!r} "
                          f"bytes from byte {said.get('offset', '0')!r} on")
    if location not in read:
        read[location] = _read(files, path.parent / location, digest)
    data = read[location]
    if offset + size > data.size:
        raise PolicyError(f"policy {str(path)!r}: its weights are cut off: {tensor.name!r} ends at "
                          f"byte {offset + size:,} of a file of {data.size:,}")
    return np.require(np.ndarray(shape, dtype, data, offset), requirements=["C", "A"])


def _dtype(data_type: int) -> np.dtype[Any] | None:
    """Return the type of a tensor's values; `None` for one that numpy does not have."""
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(data_type))
    except (KeyError, TypeError, ValueError):
        return None
    return dtype if dtype.kind in "fiub" else None


def _number(text: str) -> int:
    """Read an offset or a length; -1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def _read(files: PolicyFiles, path: Path, digest: Any  # noqa: ANN401 - as above
          ) -> NDArray[np.uint8]:
    file, size = files.open(path)
    with file:
        data = np.empty(size, np.uint8)
        view, done = data.data, 0
        while count := file.readinto(view[done:done + CHUNK]):
            digest.update(view[done:done + count])
            done += count
    return data[:done]
