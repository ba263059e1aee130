"""Saved states of plants as bytes: a JSON header, then raw bytes; never pickle."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import PlantError

_MAGIC = b"RLPLANT1"
_LENGTHS = struct.Struct("<III")
"""Bytes of the header, bytes of the rest, CRC-32 of both."""


def pack(plant: str, header: dict[str, Any], raw: bytes = b"") -> bytes:
    """Make a saved state of the plant `plant`; `header` holds JSON values only."""
    text = strict_json.dumps_exactly({**header, "plant": plant}).encode()
    lengths = _LENGTHS.pack(len(text), len(raw), zlib.crc32(text + raw))
    return _MAGIC + lengths + text + raw


def unpack(plant: str, state: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what `pack` was given; `PlantError` for other bytes or another plant's state."""
    start = len(_MAGIC) + _LENGTHS.size
    if len(state) < start or not state.startswith(_MAGIC):
        raise PlantError(f"not a saved state of plant {plant!r}: {state[:8]!r}…, "
                         f"{len(state)} bytes")
    size, raw_size, checksum = _LENGTHS.unpack(state[len(_MAGIC):start])
    body = state[start:]
    if len(body) != size + raw_size or zlib.crc32(body) != checksum:
        raise PlantError(f"the saved state of plant {plant!r} is damaged ({len(state)} bytes)")
    header = strict_json.loads(body[:size])
    if header.pop("plant") != plant:
        raise PlantError(f"the saved state is one of another plant, not of {plant!r}")
    return header, body[size:]


def random_state(random: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator as JSON values."""
    return dict(random.bit_generator.state)


def generator(state: dict[str, Any]) -> np.random.Generator:
    """Make the generator whose state `random_state` returned."""
    random = np.random.default_rng(0)
    random.bit_generator.state = state
    return random
