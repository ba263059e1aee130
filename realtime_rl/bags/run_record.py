"""What a bag cannot tell of its run, because whoever watched over the nodes knew it: `run.json`.

It lies in the bag's folder, goes where the bag goes, and other readers pass it over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from realtime_rl import strict_json
from realtime_rl.core.peers.deaths import Death, Deaths, Then
from realtime_rl.core.peers.noted import Note, Noted
from realtime_rl.files import write_atomically

NAME = "run.json"
_SCHEMA = 1
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """From what a run can be made once more."""

    plant: str
    """Its name; empty: a robot."""
    options: tuple[str, ...]
    """The plant's, as `key=value`."""
    seed: int
    """The plant's."""
    policy: str
    """URI of the policy that it started from; empty: there was none."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How the nodes of a run fared."""

    deaths: tuple[Death, ...]
    count: int
    """Of all deaths; very many are not all kept."""
    reach: str
    """Who could see and command the nodes."""
    rate: str = ""
    """How the plant's period comes about; empty: it was not noted."""
    noted: Noted = field(default_factory=Noted)
    """What the nodes warned of."""
    began_ns: int = 0
    """When the run began, by the clock of its stamps; 0: it was not noted."""
    origin: Origin | None = None
    """`None`: it was not noted."""

    @property
    def died(self) -> tuple[tuple[int, str], ...]:
        """Stamp and node of each death, where it is known when the run began."""
        return tuple((self.began_ns + round(death.at_s * 1e9), death.node)
                     for death in self.deaths if self.began_ns)

    @property
    def lines(self) -> list[str]:
        """The deaths in words, in order, the first few of very many."""
        shown = [death.summary for death in self.deaths[:_SHOWN]]
        rest = self.count - len(shown)
        return [*shown, f"nodes died {rest} more time(s)"] if rest else shown


def write(bag: Path, deaths: Deaths, reach: str, rate: str = "", noted: Noted | None = None,
          *, origin: Origin | None = None) -> None:
    """Note in a bag's folder, where there is one, how the nodes fared; `OSError`.

    `rate`: how the plant's period comes about. `noted`: what the nodes warned of. `origin`: from
    what the run can be made once more.
    """
    if not bag.is_dir():
        return
    text = strict_json.dumps({
        "schema": _SCHEMA, "reach": reach, "rate": rate, "began_ns": deaths.began_ns,
        "deaths": len(deaths),
        "kept": [{"node": death.node, "at_s": round(death.at_s, 3), "status": death.status,
                  "last_words": death.last_words, "then": death.then.value}
                 for death in deaths.kept],
        **({} if noted is None else {"warned": [
            {"text": text, "at_s": round(note.at_s, 3), "times": note.times}
            for text, note in noted.kept.items()], "warned_more": noted.left_out}),
        **({} if origin is None else {"origin": asdict(origin)})}, indent=2)
    write_atomically(bag / NAME, f"{text}\n".encode())


def read(bag: Path) -> RunRecord | None:
    """Return what is noted in a bag's folder; `None` where nothing is.

    Raises:
        ValueError: there is something that is no such record.
    """
    try:
        content = json.loads((bag / NAME).read_text(encoding="utf-8"))
    except OSError:
        return None
    try:
        return RunRecord(tuple(_deaths(content["kept"])), int(content["deaths"]),
                         str(content["reach"]), str(content.get("rate", "")),
                         Noted({str(item["text"]): Note(float(item["at_s"]), int(item["times"]))
                                for item in content.get("warned", ())},
                               int(content.get("warned_more", 0))),
                         int(content.get("began_ns", 0)), _origin(content.get("origin")))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error!r} is wrong or missing") from error


def _origin(said: dict[str, Any] | None) -> Origin | None:
    return None if said is None else Origin(
        str(said["plant"]), tuple(map(str, said["options"])), int(said["seed"]),
        str(said["policy"]))


def _deaths(kept: Iterable[dict[str, Any]]) -> Iterable[Death]:
    for item in kept:
        yield Death(str(item["node"]), float(item["at_s"]), int(item["status"]),
                    str(item["last_words"]), Then(item["then"]))
