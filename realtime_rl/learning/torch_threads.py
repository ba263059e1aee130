"""How many threads torch may use in this process."""

from __future__ import annotations

import torch


def limit(threads: int) -> None:
    """Bound the threads of one gradient update; more than one is rarely worth it beside a plant."""
    torch.set_num_threads(threads)
