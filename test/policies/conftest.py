"""Tiny ONNX policies on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from realtime_rl.core.messages.policy_metadata import PolicyMetadata

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a model, with its metadata if any, and returns the path."""
    def write_model(proto: onnx.ModelProto, about: PolicyMetadata | None = None,
                    name: str = "policy.onnx") -> Path:
        for key, value in (about.to_props() if about else {}).items():
            proto.metadata_props.add(key=key, value=value)
        path = tmp_path / name
        path.write_bytes(proto.SerializeToString())
        return path
    return write_model
