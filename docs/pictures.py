"""Makes the moving picture of the live view and the picture of a report, from a real run.

    python -m docs.pictures live [SECONDS]     # a minute: the environment that make built, and pyte
    python -m docs.pictures report BAG         # chromium
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parent / "images"
COLUMNS, LINES = 100, 30
FRAME_S, SHOWN_S = 1.0, 0.6
"""A picture is taken so often, and shown for so long."""
CHARACTER, LINE = 8.4, 18
BACKGROUND, FOREGROUND = "#16202a", "#d8dee4"
COLOURS = {"default": FOREGROUND, "red": "#e06c75", "green": "#7ec699", "brown": "#e5c07b",
           "yellow": "#e5c07b", "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2",
           "white": "#ffffff", "black": "#5c6773", "brightblack": "#7f8b96"}
Cells = list[tuple[str, str, bool]]
"""Of one line: character, colour, whether it is bold."""


def screens(command: list[str], seconds: float) -> list[list[Cells]]:
    """Run a command in a terminal for so long; return what it showed, once a `FRAME_S`."""
    import pyte

    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(LINES))
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    begin, taken, found = time.monotonic(), 0, []
    try:
        while (now := time.monotonic() - begin) < seconds:
            if select.select([terminal], [], [], 0.05)[0]:
                stream.feed(os.read(terminal, 65536))
            if now >= taken * FRAME_S:
                taken += 1
                found.append(picture(screen))
    except OSError:  # it ended
        found.append(picture(screen))
    os.close(terminal)
    os.waitpid(process, 0)
    return [each for each, _ in groupby(found)]


def picture(screen: Any) -> list[Cells]:
    """Copy what a screen shows, without empty lines at its end."""
    lines = [[(cell.data, COLOURS.get(cell.fg, f"#{cell.fg}" if len(cell.fg) == 6 else FOREGROUND),
               cell.bold) for cell in (screen.buffer[row][column] for column in range(COLUMNS))]
             for row in range(LINES)]
    while lines and all(character == " " for character, _, _ in lines[-1]):
        lines.pop()
    return lines


def animated(frames: list[list[Cells]]) -> str:
    """Return the frames as a moving SVG, which stands still for readers who want no motion."""
    height = max(map(len, frames)) * LINE + 24
    width = COLUMNS * CHARACTER + 24
    whole = len(frames) * SHOWN_S
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
             'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
             "<title>A run in the terminal</title>",
             f"<style>text{{white-space:pre}}.f{{visibility:hidden;"
             f"animation:show {whole:.1f}s step-end infinite}}"
             f"@keyframes show{{0%{{visibility:visible}}{100 / len(frames):.3f}%"
             "{visibility:hidden}}@media(prefers-reduced-motion:reduce){.f{animation:none}"
             ".f:last-of-type{visibility:visible}}</style>",
             f'<rect width="{width:.0f}" height="{height}" rx="6" fill="{BACKGROUND}"/>']
    for number, frame in enumerate(frames):
        parts.append(f'<g class="f" style="animation-delay:{number * SHOWN_S:.1f}s">')
        parts += [line for row, cells in enumerate(frame) if (line := _line(row, cells))]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(row: int, cells: Cells) -> str:
    spans, column = [], 0
    for (colour, bold), group in groupby(cells, key=lambda cell: cell[1:]):
        text = "".join(character for character, _, _ in group)
        if text.strip():
            weight = ' font-weight="bold"' if bold else ""
            spans.append(f'<tspan x="{12 + column * CHARACTER:.1f}" fill="{colour}"{weight} '
                         f'textLength="{len(text.rstrip()) * CHARACTER:.1f}">'
                         f"{escape(text.rstrip())}</tspan>")
        column += len(text)
    return f'<text y="{26 + row * LINE}">{"".join(spans)}</text>' if spans else ""


def live(seconds: float = 26.0) -> None:
    """Record a run of `catch` that loses its workers to nobody, from its first second on."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "realtime_rl.cli.main", "run", "--config", "catch",
                   "--duration", f"{seconds - 5:g}", "--record", f"{folder}/run"]
        frames = screens(command, seconds)
    begun = [frame for frame in frames if len(frame) > 5]
    (IMAGES / "live-view.svg").write_text(animated(begun), encoding="utf-8")


def report(bag: str) -> None:
    """Take a picture of the top of a report."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        page, path = Path(folder) / "report.html", Path(bag).resolve()
        where = path.parent.parent  # a page says where its bag is: not where this machine has it
        subprocess.run([sys.executable, "-m", "realtime_rl.cli.main", "report",
                        str(path.relative_to(where)), "--html", str(page)], check=True, cwd=where)
        subprocess.run([browser, "--headless", "--no-sandbox", "--hide-scrollbars",
                        "--force-device-scale-factor=1", "--window-size=1000,745",
                        f"--screenshot={IMAGES / 'report.png'}", page.as_uri()], check=True,
                       capture_output=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["live"]
    if what == "live":
        live(*map(float, rest))
    else:
        report(*rest)
