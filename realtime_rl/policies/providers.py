"""Which execution provider of ONNX Runtime to ask for, how, and what to say when it is absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.settings.inference import PROVIDERS
from realtime_rl.policies.compute import Compute

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


def options(long: str, compute: Compute, key: str) -> dict[str, str]:
    """Return the options of one provider, by ONNX Runtime's name.

    Args:
        long: ONNX Runtime's name of it.
        compute: what is asked for.
        key: of what TensorRT compiles: it knows its files by the graph, and takes those of other
            weights for them, so that each has a folder of its own.
    """
    name = name_of(long)
    found = {}
    if compute.cuda_graph and name in ("cuda", "tensorrt"):
        found["enable_cuda_graph" if name == "cuda" else "trt_cuda_graph_enable"] = "1"
    if name == "tensorrt" and compute.tensorrt_fp16:
        found["trt_fp16_enable"] = "1"
    if name == "tensorrt" and compute.tensorrt_cache:
        folder = Path(compute.tensorrt_cache)
        found |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(folder / key),
                  "trt_timing_cache_enable": "1", "trt_timing_cache_path": str(folder)}
    return found


def fallback_message(name: str, actual: str) -> str:
    """Say that another provider computes than the one asked for; empty when it is that one."""
    if name in ("auto", actual):
        return ""
    return (f"provider {name!r} is not available here: {actual!r} computes instead; "
            "fix: pip install onnxruntime-gpu in place of onnxruntime, with its CUDA libraries")
