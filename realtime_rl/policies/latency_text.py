"""How a latency is written: durations with a unit, shares, factors. All raise `ValueError`."""

from __future__ import annotations

import math
import re
import reprlib

from realtime_rl.core.errors import choices

UNITS_NS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
LONGEST_NS = 3_600_000_000_000
"""An hour: who waits that long for an action is not playing, and estimators call it absurd."""


def duration_ns(text: str) -> int:
    """Read a duration such as `95ms` [ns]: positive and below an hour."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip())
    if match is None or match[2] not in UNITS_NS:
        raise ValueError(f"duration {reprlib.repr(text)}: write a positive number and one of "
                         f"{choices(UNITS_NS)}, as in {_as_period(text) or '95ms'}")
    return _checked(float(match[1]) * UNITS_NS[match[2]], text)


def _as_period(text: str) -> str:
    """What a rate is as a period; empty where the text is none."""
    rate = re.fullmatch(r"(\d+(?:\.\d+)?)\s*hz", text.strip(), re.IGNORECASE)
    return f"{1e3 / float(rate[1]):.6g}ms" if rate and float(rate[1]) else ""


def measured_ns(value: object) -> int:
    """Read a measured duration [ns]: one with a unit, or plain seconds."""
    if isinstance(value, str) and not _is_number(value):
        return duration_ns(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{reprlib.repr(value)} is not a duration: write seconds, or text "
                         "such as '95ms'")
    return _checked(float(value) * 1e9, value)


def duration_text(duration: int) -> str:
    """Write a duration [ns] exactly, in ms unless that needs a fraction where µs do not."""
    unit = "ms" if duration % UNITS_NS["ms"] == 0 or duration % UNITS_NS["us"] else "us"
    number = f"{duration / UNITS_NS[unit]:.6f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"


def number(name: str, text: str, low: float, high: float) -> float:
    """Read a number above `low` and up to `high`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low < value <= high:
        raise ValueError(f"{name} {text!r} must be a number above {low:g}, at most {high:g}")
    return value


def number_text(value: float) -> str:
    """Write a number so that it reads the same again, and no longer than it needs to be."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def body_and_options(rest: str) -> tuple[str, dict[str, str]]:
    """Part `95ms,cv=0.3` into its body and its options; a file's name may hold a comma."""
    body, *words = re.split(r",(?=\s*[a-z_]+\s*=)", rest)
    options: dict[str, str] = {}
    for word in words:
        name, _, value = (part.strip() for part in word.partition("="))
        if name in options:
            raise ValueError(f"option {name!r} is given twice")
        options[name] = value
    return body.strip(), options


def _checked(nanoseconds: float, written: object) -> int:
    if not 0.5 < nanoseconds < LONGEST_NS:
        raise ValueError(f"duration {reprlib.repr(written)} must be positive and below an hour")
    return round(nanoseconds)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
