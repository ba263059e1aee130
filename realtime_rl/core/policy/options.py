"""What a person says of a policy, as parameters and command lines have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from realtime_rl.core.policy import said
from realtime_rl.core.policy.said import Said

AS_SAID = "auto"
"""Layout: as the metadata say, else channels first."""
FILE = ".npy"
"""How the name of a file with a constant ends."""


@dataclass(frozen=True)
class PolicyOptions:
    """Beside what a file says of itself; where both speak of the same they must agree."""

    inputs: tuple[str, ...] = ()
    """`observation.state=state`: the part that an input takes; `hx=output:hy`: a state."""
    output: str = ""
    """The output that acts, or `gaussian_tanh`, or both."""
    normalize: tuple[str, ...] = ()
    """`front scale=1/255 mean=… std=…`, `action scale=… offset=…`."""
    layout: str = AS_SAID
    constants: tuple[str, ...] = ()
    """`command=0.1,0.2`, or `instruction=tokens.npy`."""
    goal: str = ""
    """`goal`, the input that takes the newest goal; `goal=0.1,0.2`: which it begins with."""
    descriptors: str = ""
    """Path of Isaac Lab's IO descriptors."""
    foreign: bool = True
    """Whether what other makers write into their metadata counts."""
    chunk_first_tick: int = -1
    chunk_period_ns: int = 0
    stack: int = 0
    """Observations that a file without metadata takes; 0: one."""
    period_ns: int = 0
    """The plant's; 0: not known."""

    @property
    def files(self) -> dict[str, str]:
        """Paths of constants that are in files, by input."""
        pairs = (item.partition("=") for item in self.constants)
        return {name.strip(): path.strip() for name, _, path in pairs
                if path.strip().endswith(FILE)}

    def said(self, arrays: Mapping[str, NDArray[Any]]) -> Said:
        """Return what they say, with the constants of `files`; `PolicyError` for bad words."""
        return said.of_words(
            said.PARAMETERS, inputs=self.inputs, output=self.output, normalize=self.normalize,
            layout="" if self.layout == AS_SAID else self.layout, constants=[
                item for item in self.constants if not item.strip().endswith(FILE)],
            goal=self.goal,
            chunk_first_tick=None if self.chunk_first_tick < 0 else self.chunk_first_tick,
            chunk_period_ns=self.chunk_period_ns, arrays=arrays)
