"""Draws the pictures of the timeline in docs/images: `python -m docs.timelines`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"
TICK, ROW, LEFT, TOP = 34, 26, 118, 46
COLOURS = ("#2b6ca3", "#2e7d4f", "#b9770e", "#6b4a9e", "#a33b3b", "#3b8f9e", "#7a7a2b")


@dataclass
class Timeline:
    """Inferences of workers over ticks, and which tick each action acts at."""

    title: str
    ticks: int
    rows: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    acted: dict[int, int] = field(default_factory=dict)
    """Tick to the colour of whose action acts there."""

    def worker(self, name: str) -> int:
        self.rows.append(name)
        return len(self.rows) - 1

    def bar(self, row: int, begin: float, end: float, colour: int, label: str = "",
            *, held: float = 0.0) -> None:
        """An inference from tick `begin` to `end`, its result held until `held`."""
        x, y = LEFT + begin * TICK, TOP + row * ROW + 3
        self.parts.append(f'<rect x="{x:.1f}" y="{y}" width="{(end - begin) * TICK - 2:.1f}" '
                          f'height="{ROW - 6}" rx="3" fill="{COLOURS[colour % 7]}"/>')
        if held > end:
            self.parts.append(
                f'<rect x="{LEFT + end * TICK - 2:.1f}" y="{y}" width="{(held - end) * TICK:.1f}" '
                f'height="{ROW - 6}" fill="{COLOURS[colour % 7]}" fill-opacity="0.25"/>')
        if label:
            self.parts.append(f'<text x="{x + 5:.1f}" y="{y + 14}" font-size="11" '
                              f'fill="#fff">{label}</text>')

    def svg(self) -> str:
        width = LEFT + self.ticks * TICK + 16
        bottom = TOP + len(self.rows) * ROW
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 56}" '
                 'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#16324a">',
                 f"<title>{self.title}</title>",
                 f'<rect width="{width}" height="{bottom + 56}" fill="#fff"/>',
                 f'<text x="12" y="22" font-weight="bold">{self.title}</text>']
        for tick in range(self.ticks + 1):
            x = LEFT + tick * TICK
            lines.append(f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{bottom + 30}" '
                         'stroke="#d6dde4"/>')
            if tick < self.ticks:
                lines.append(f'<text x="{x + TICK / 2}" y="{TOP - 10}" font-size="10" '
                             f'text-anchor="middle" fill="#5d6b78">{tick}</text>')
        lines += [f'<text x="{LEFT - 8}" y="{TOP + row * ROW + 17}" text-anchor="end">{name}</text>'
                  for row, name in enumerate(self.rows)]
        lines += self.parts
        lines.append(f'<text x="{LEFT - 8}" y="{bottom + 22}" text-anchor="end">plant</text>')
        for tick in range(self.ticks):
            x, colour = LEFT + tick * TICK, self.acted.get(tick)
            fill = "#eceff2" if colour is None else COLOURS[colour % 7]
            lines.append(f'<rect x="{x + 2}" y="{bottom + 7}" width="{TICK - 4}" height="20" '
                         f'rx="3" fill="{fill}"/>')
        lines.append(f'<text x="{LEFT}" y="{bottom + 47}" font-size="11" fill="#5d6b78">'
                     "bars: inferences · pale: held until due · below: whose action acts at the "
                     "tick, grey where the default policy does</text></svg>")
        return "\n".join(lines) + "\n"


def one_worker() -> Timeline:
    picture = Timeline("One worker, an inference of 5.7 ticks", 20)
    row = picture.worker("worker 0")
    for number, begin in enumerate((0, 6, 12)):
        picture.bar(row, begin, begin + 5.7, number, f"observation {begin}")
        if begin + 6 < 20:
            picture.acted[begin + 6] = number
    return picture


def staggered() -> Timeline:
    picture = Timeline("Seven workers, the same inferences: an action at every tick", 20)
    rows = [picture.worker(f"worker {number}") for number in range(7)]
    for begin in range(20):
        if begin % 7 + 5.7 + begin - begin % 7 <= 20.5:
            picture.bar(rows[begin % 7], begin, min(begin + 5.7, 20), begin % 7, str(begin))
        if begin + 6 < 20:
            picture.acted[begin + 6] = begin % 7
    return picture


_DURATIONS = (3.4, 5.6, 2.5, 4.8, 3.2, 5.2, 2.7, 4.1, 3.6, 5.4, 2.6, 4.4, 3.1, 5.0)


def max_and_exp() -> Timeline:
    picture = Timeline("The same inferences: max_time holds results, exp_time lets them go", 20)
    rows = [picture.worker(f"worker {number}") for number in range(7)]
    for begin, duration in enumerate(_DURATIONS):
        picture.bar(rows[begin % 7], begin, begin + duration, begin % 7, str(begin),
                    held=begin + 6)
        picture.acted[begin + 6] = begin % 7
    _exp_row(picture)
    return picture


def _exp_row(picture: Timeline) -> None:
    """When the same actions would act if each left at once: the newest of those that came."""
    row = picture.worker("exp_time")
    acts: dict[int, int] = {}
    for begin, duration in enumerate(_DURATIONS):
        tick = begin + int(duration) + 1
        acts[tick] = max(acts.get(tick, -1), begin)
    newest = -1
    for tick in range(picture.ticks):
        y, x = TOP + row * ROW + 3, LEFT + tick * TICK + 2
        begin = acts.get(tick, -1)
        fresh, newest = begin > newest, max(newest, begin)
        fill = COLOURS[begin % 7] if fresh else "#eceff2"
        picture.parts.append(f'<rect x="{x}" y="{y}" width="{TICK - 4}" height="{ROW - 6}" rx="3" '
                             f'fill="{fill}"/>')


def overrun() -> Timeline:
    picture = Timeline("One inference takes three times as long: its own tick is lost", 24)
    rows = [picture.worker(f"worker {number}") for number in range(7)]
    free = [0.0] * 7
    for begin in range(24):
        idle = [worker for worker in range(7) if free[worker] <= begin]
        worker = idle[0]
        long = begin == 5
        end = begin + (17.1 if long else 5.7)
        free[worker] = end
        picture.bar(rows[worker], begin, min(end, 24), 4 if long else worker, str(begin))
        if begin + 6 < 24 and not long:
            picture.acted[begin + 6] = worker
    return picture


PICTURES = {"one-worker": one_worker, "staggered": staggered, "max-and-exp": max_and_exp,
            "overrun": overrun}


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
    sys.exit(0)
