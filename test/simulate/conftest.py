"""One torch thread: tests run beside each other, and torch's threads spin."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
