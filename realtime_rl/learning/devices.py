"""Where a network is trained: on the CPU, or on a GPU."""

from __future__ import annotations

import torch

from realtime_rl import free_memory
from realtime_rl.learning.errors import LearningError


def choose(name: str) -> torch.device:
    """Return torch's device for the parameter `device`.

    Raises:
        LearningError: a GPU is asked for, and torch finds none.
    """
    if name == "cpu":  # without a look at GPUs, which takes time where there is one
        return torch.device("cpu")
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise LearningError(f"learner.device 'cuda': {reason()}; take 'cpu' or 'auto', or install "
                            "a torch with CUDA")
    return torch.device("cuda" if found else "cpu")


def gpu() -> str:
    """Return the name of the GPU that `auto` stands for; empty when there is none."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def reason() -> str:
    """Say why torch has no GPU here, where it has none."""
    missing = "finds no GPU" if torch.version.cuda else "is a build for the CPU only"
    return f"torch {torch.__version__} {missing}"


def free_bytes(device: torch.device) -> int | None:
    """Return the memory that is free there [bytes]; `None` where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return free_memory.available_bytes()
