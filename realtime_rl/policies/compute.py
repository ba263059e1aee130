"""What is asked of whatever computes a policy: provider, threads, sessions, and how it is used."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError

GPU = ("cuda", "tensorrt")


@dataclass(frozen=True)
class Compute:
    """All of it, checked; `ConfigError` for what cannot go together."""

    provider: str = "auto"
    """`auto` (CUDA where there is one, else CPU), `cpu`, `cuda` or `tensorrt`."""
    threads: int = 1
    """Of one inference."""
    sessions: int = 1
    """So many of ONNX Runtime, which lanes share."""
    refit: bool = False
    """Whether a version with the same graph takes over the session, and brings its weights only."""
    cuda_graph: bool = False
    """Whether a run is recorded once and replayed, in a session and a thread for each lane."""
    tensorrt_cache: str = ""
    """Folder where TensorRT keeps what it compiled; empty: nowhere."""
    tensorrt_fp16: bool = False
    batch: int = 1
    """Most observations of one run."""

    def __post_init__(self) -> None:
        """Refuse what no provider does."""
        if self.provider != "tensorrt":
            for name in ("tensorrt_cache", "tensorrt_fp16"):
                if getattr(self, name):
                    raise ConfigError(f"{name}: {getattr(self, name)!r} is TensorRT's: set "
                                      "provider=tensorrt, or leave it out")
        if not self.cuda_graph:
            return
        if self.provider not in GPU:
            raise ConfigError(f"cuda_graph: provider {self.provider!r} may have none; set "
                              "provider=cuda or provider=tensorrt, or leave it out")
        for name, plain in (("refit", False), ("batch", 1)):
            if getattr(self, name) != plain:
                raise ConfigError(f"cuda_graph: a recorded run has fixed shapes and weights, so it "
                                  f"does not go with {name}={getattr(self, name)!r}: leave one out")
