"""The regret of a run as JSON: `realtime-rl regret --json` writes it, a report shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_rl.bags.reader import Run
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.regret import TERMS, Decomposition, Returns
from realtime_rl.core.figures.statistics import episodes_of, plant_sessions

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RegretRecord:
    """The regret of a run, and against what."""

    reference: str
    found: Decomposition


def document(run: Run, reference: str, found: Decomposition | None, inaction: float | None,
             reason: str = "") -> dict[str, Any]:
    """Return what is known as JSON has it; `reason`: why the terms are not."""
    return {
        "schema": SCHEMA, "bag": str(run.path), "reference": reference,
        "inaction_fraction": inaction, "reason": reason or None,
        "episodes": 0 if found is None else len(found.episodes),
        "regret": None if found is None else found.regret.known,
        "terms": {name: None if found is None else found.means[name].known for name in TERMS},
        "of_episodes": [] if found is None else [
            {"tick": each.tick, "began_s": each.began_s, "reference": each.reference,
             "recorded": each.recorded, **each.terms} for each in found.episodes]}


def read(path: Path, run: Run) -> RegretRecord:
    """Read the regret of a run; `BagError` where it is none, or another run's."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        if written["schema"] != SCHEMA:
            raise ValueError(f"its schema is {written['schema']!r}, not {SCHEMA}")
        episodes = tuple(map(_returns, written["of_episodes"]))
        reference = str(written["reference"])
    except OSError as error:
        raise BagError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BagError(f"{str(path)!r} is not what `realtime-rl regret --json` writes: {error!r}"
                       ) from error
    if not episodes:
        raise BagError(f"{str(path)!r} has no episodes: {written.get('reason')}")
    sessions = plant_sessions(run.records.timesteps)
    recorded = episodes_of(sessions)
    begun = sessions.ticks.ints("tick")[recorded.firsts].tolist()
    known = set(zip(begun, recorded.returns.tolist(), strict=True))
    for each in episodes:
        if (each.tick, each.recorded) not in known:
            raise BagError(f"{str(path)!r} is of another run than {str(run.path)!r}, which has no "
                           f"episode from tick {each.tick} on with the return {each.recorded:g}")
    return RegretRecord(reference, Decomposition(episodes))


def _returns(written: dict[str, Any]) -> Returns:
    reference = float(written["reference"])
    lost = [float(written[name]) for name in TERMS]
    alone, delayed, inactive = (reference - sum(lost[:count]) for count in (1, 2, 3))
    return Returns(int(written["tick"]), float(written["began_s"]), reference, alone, delayed,
                   inactive, float(written["recorded"]))
