"""What a plant showed, in the page: some pictures, evenly over the run."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib import image

from realtime_rl.bags.messages import Observed
from realtime_rl.bags.reader import Run
from realtime_rl.core.figures.statistics import plant_sessions

_WIDEST = 200
"""Pixels of a picture in the page; of a larger one every so many-th is shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and where in the run it is of."""

    part: str
    """Of the observation; empty for the only one."""
    at_s: float
    """Since the run's first tick."""
    episode: int
    """-1: its tick was not recorded."""
    png: bytes


def shown(run: Run) -> Iterator[Shown]:
    """Yield some of a run's pictures, part by part, in the order of their ticks."""
    ticks = plant_sessions(run.records.timesteps).ticks
    stamps_ns, episodes = ticks.ints("stamp_ns"), ticks.ints("episode")
    for part, observed in sorted(run.seen, key=lambda each: (each[0], each[1].stamp_ns)):
        rows = np.flatnonzero(stamps_ns == observed.stamp_ns)
        yield Shown(part, (observed.stamp_ns - int(stamps_ns.min())) / 1e9,
                    int(episodes[rows[0]]) if rows.size else -1, _png(observed))


def strip(run: Run) -> str:
    """Return a run's pictures as a list of HTML; empty where there are none."""
    items = [f"<li><img src=\"data:image/png;base64,{base64.b64encode(each.png).decode()}\" "
             f"alt=\"{escape(_words(each))}\" /><span>{escape(_words(each))}</span></li>"
             for each in shown(run)]
    return "\n".join(["<ul class=\"strip\">", *items, "</ul>"]) if items else ""


def _words(picture: Shown) -> str:
    words = [f"{picture.at_s:.1f} s"]
    if picture.episode >= 0:
        words.append(f"episode {picture.episode:,}")
    return ", ".join([picture.part, *words] if picture.part else words)


def _png(observed: Observed) -> bytes:
    picture = observed.value
    step = -(-max(picture.shape[1:]) // _WIDEST)
    rows = np.moveaxis(picture[:, ::step, ::step], 0, -1)
    buffer = io.BytesIO()
    image.imsave(buffer, rows[..., 0] if rows.shape[-1] == 1 else rows, cmap="gray", vmin=0,
                 vmax=255, format="png")
    return buffer.getvalue()
