"""Gymnasium's observation spaces as this package's, and observations between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError
from realtime_rl.core.observations import (
    ONLY,
    Observation,
    ObservationSpec,
    join,
    names_of,
    of_parts,
)
from realtime_rl.plants import gymnasium_pictures as pictures
from realtime_rl.plants.gymnasium_spaces import EXTRA
from realtime_rl.plants.libraries import load_library


class Observations:
    """Pictures become `(1 or 3, size, size)` uint8; everything else a flat float32 vector.

    Of a Dict or Tuple with pictures in it each part is one of the observation's; one without is
    a single vector, unless its parts are asked for.
    """

    def __init__(self, space: Any, size: int = 84, part: str = "",  # noqa: ANN401 - a Space
                 kind: str = pictures.AUTO, *, colour: bool = False) -> None:
        """Choose by the space.

        Args:
            space: the environment's.
            size: height and width of a picture.
            part: of a Dict or Tuple, the only one to observe, as `camera.left`; empty: all.
            kind: `picture` or `vector`, where the space alone does not say; `parts`: each by
                itself.
            colour: pictures in colour are not made grey.

        Raises:
            PlantError: there is no such part, or it is neither a vector nor a picture of a known
                layout, or may be either.
        """
        keys, chosen = _inside(space, part)
        leaves = list(_leaves(chosen))
        apart = all(leaf.keys for leaf in leaves) and (kind == pictures.PARTS or (
            kind == pictures.AUTO
            and any(pictures.like_a_picture(leaf.space) for leaf in leaves)))
        if apart:
            _check_flat(chosen)
            self._parts = [_Part(leaf.space, name, size, pictures.AUTO, [*keys, *leaf.keys],
                                 colour=colour)
                           for name, leaf in _named(leaves).items()]
        else:
            kind = pictures.AUTO if kind == pictures.PARTS else kind
            self._parts = [_Part(chosen, ONLY, size, kind, keys, colour=colour)]
        self.spec = of_parts([each.spec for each in self._parts])

    def pick(self, value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of the environment's space
        """Return what is observed, a value a part."""
        return tuple(each.pick(value) for each in self._parts)

    def brighter(self, before: tuple[Any, ...], newest: tuple[Any, ...]) -> tuple[Any, ...]:
        """Join two picked values: of pictures the brighter pixels, of all else the newest."""
        return tuple(np.maximum(one, other) if part.image else other
                     for part, one, other in zip(self._parts, before, newest, strict=True))

    def convert(self, picked: tuple[Any, ...]) -> Observation:
        """Return picked values as `spec` says, in an array of its own.

        `PlantError` when one has another shape than the space says.
        """
        return join([part.convert(value)
                     for part, value in zip(self._parts, picked, strict=True)],
                    names_of(self.spec))


class _Part:
    """A part of the observation, out of a space."""

    def __init__(self, space: Any, name: str, size: int, kind: str,  # noqa: ANN401 - a Space
                 keys: list[Any], *, colour: bool) -> None:
        self._gymnasium = load_library("gymnasium", EXTRA)
        self._keys = keys
        self._space = space
        self._picture = pictures.layout(space, kind)
        if self._picture is not None:
            self._cv2: Any = load_library("cv2", EXTRA)
            self._colour = colour and self._picture.channels > 1
            shape = (3 if self._colour else 1, size, size)
            self.spec = ObservationSpec(shape, "uint8", 0, 255, name)
            return
        _check_flat(space)
        flat = self._gymnasium.spaces.flatten_space(space)
        low, high = (float(np.float32(limit)) for limit in (flat.low.min(), flat.high.max()))
        self.spec = ObservationSpec((int(np.prod(flat.shape)),), "float32", low, high, name)

    @property
    def image(self) -> bool:
        """Whether it is a picture."""
        return self._picture is not None

    def pick(self, value: Any) -> Any:  # noqa: ANN401 - of the environment's space
        """Return the part's value."""
        for key in self._keys:
            value = value[key]
        return value

    def convert(self, value: Any) -> NDArray[np.generic]:  # noqa: ANN401 - of the part's space
        """Return a picked value as `spec` says, in an array of its own; `PlantError`."""
        if self._picture is None:
            vector = np.array(self._gymnasium.spaces.flatten(self._space, value), np.float32)
            _check_shape(vector.shape, self.spec.shape)
            return vector
        picture = np.asarray(value)
        _check_shape(picture.shape, self._space.shape)
        seen = self._picture.seen(picture, self._cv2, colour=self._colour)
        small: NDArray[np.uint8] = self._cv2.resize(seen, self.spec.shape[1:],
                                                    interpolation=self._cv2.INTER_AREA)
        if self._colour:
            return np.ascontiguousarray(small.transpose(2, 0, 1))
        return small.reshape(self.spec.shape)


def _check_shape(shape: tuple[int, ...], said: tuple[int, ...]) -> None:
    if shape != said:
        raise PlantError(f"an observation has shape {shape}, its space says {said}")


def _check_flat(space: Any) -> None:  # noqa: ANN401 - a gymnasium.Space
    """Refuse what would be no vector."""
    leaves = list(_leaves(space))
    strange = [leaf.path for leaf in leaves if not _flattens(leaf.space)]
    if leaves and not strange:
        return
    problem = f"observation space {space} is neither a picture nor a vector"
    if strange and "" not in strange:
        problem += f": {', '.join(map(repr, strange))} cannot be joined to one"
    usable = [leaf.path for leaf in leaves if leaf.path and leaf.path not in strange]
    raise PlantError(problem + (f"; observe one: {' or '.join(f'part={n}' for n in usable)}"
                                if usable else ""))


def _flattens(leaf: Any) -> bool:  # noqa: ANN401 - a gymnasium.Space
    spaces = load_library("gymnasium", EXTRA).spaces
    try:
        return (not isinstance(leaf, spaces.Text) and bool(leaf.is_np_flattenable)
                and isinstance(spaces.flatten_space(leaf), spaces.Box))
    except Exception:  # of a stranger's space, NotImplementedError as a rule
        return False


def _inside(space: Any, path: str) -> tuple[list[Any], Any]:  # noqa: ANN401 - a gymnasium.Space
    """Return the keys that lead to a part, as `camera.left`, and its space."""
    keys = []
    for name in path.split(".") if path else ():
        inner = _inner(space)
        if name not in inner:
            raise PlantError(f"part {path!r}: there is no {name!r} in {space}")
        key, space = inner[name]
        keys.append(key)
    return keys, space


def _named(leaves: Sequence[_Leaf]) -> dict[str, _Leaf]:
    """Return leaves by the names of parts: `camera.left` is `camera_left`."""
    named: dict[str, _Leaf] = {}
    for leaf in leaves:
        name = re.sub(r"[^A-Za-z0-9]+", "_", leaf.path).strip("_")
        name = name if name[:1].isalpha() else f"part_{name}".rstrip("_")
        if name in named:
            raise PlantError(f"its parts {named[name].path!r} and {leaf.path!r} would both be "
                             f"called {name!r}; observe one: part={leaf.path}")
        named[name] = leaf
    return named


def _inner(space: Any) -> dict[str, tuple[Any, Any]]:  # noqa: ANN401 - a gymnasium.Space
    """Return key and space of the parts of a Dict or Tuple, by name; of another space none."""
    inner = getattr(space, "spaces", None)
    if isinstance(inner, Mapping):
        return {str(key): (key, part) for key, part in inner.items()}
    if isinstance(space, Sequence) and isinstance(inner, tuple | list):  # no OneOf
        return {str(key): (key, part) for key, part in enumerate(inner)}
    return {}


class _Leaf(NamedTuple):
    """A part that has no parts."""

    path: str
    """As `camera.left`; empty for a space without parts."""
    keys: tuple[Any, ...]
    space: Any


def _leaves(space: Any, path: str = "", keys: tuple[Any, ...] = ()  # noqa: ANN401 - a Space
            ) -> Iterator[_Leaf]:
    inner = _inner(space)
    if not inner:
        yield _Leaf(path, keys, space)
    for name, (key, part) in inner.items():
        yield from _leaves(part, f"{path}.{name}" if path else name, (*keys, key))
