"""Which execution provider of ONNX Runtime to ask for, and what to say when it is absent."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.settings.inference import PROVIDERS

_NAMES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider",
          "tensorrt": "TensorrtExecutionProvider"}
_NEXT_BEST = {"cpu": ("cpu",), "cuda": ("cuda", "cpu"), "tensorrt": ("tensorrt", "cuda", "cpu")}


def name_of(provider: str) -> str:
    """Return our name of one of ONNX Runtime's providers; its own where we have none."""
    return next((name for name, long in _NAMES.items() if long == provider), provider)


def wanted(name: str, available: Sequence[str]) -> list[str]:
    """Return the providers to ask for, best first; `PolicyError` when `name` is not known.

    `auto` is CUDA where there is one, else the CPU. The CPU comes last always.
    """
    if name not in PROVIDERS:
        raise PolicyError(f"provider {name!r} is not one of {choices(PROVIDERS)}")
    names = _NEXT_BEST["cuda" if name == "auto" else name]
    return [_NAMES[each] for each in names if _NAMES[each] in available]


def fallback_message(name: str, actual: str) -> str:
    """Say that another provider computes than the one asked for; empty when it is that one."""
    if name in ("auto", actual):
        return ""
    return (f"provider {name!r} is not available here: {actual!r} computes instead; "
            "fix: pip install onnxruntime-gpu in place of onnxruntime, with its CUDA libraries")
