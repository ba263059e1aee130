"""Measured durations from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.policies.latency import Contention, Latency, Outliers, Trace
from realtime_rl.policies.latency_text import duration_text

MS = 1_000_000


def written(folder: Path, content: str | bytes, name: str = "trace.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "durations_ms"), [
    ("95ms\n0.1s\n250us\n", [95, 100, 0.25]),
    ("# from the robot\n0.095\n\n  9.5e-2  \n1\n", [95, 95, 1000]),
    ('["95ms", 0.1, 2]', [95, 100, 2000]),
    ("\ufeff0.095\r\n0.1", [95, 100]),
])
def test_lines_and_json_with_a_unit_or_in_seconds(content: str, durations_ms: list[float],
                                                  tmp_path: Path) -> None:
    path = written(tmp_path, content)
    latency = Latency.parse(f"trace:{path}")
    assert latency == Trace(str(path), tuple(round(ms * MS) for ms in durations_ms))
    assert str(latency) == f"trace:{path}"


@given(st.lists(st.integers(1, 3_599_999_999_999), min_size=1, max_size=20),
       st.integers(1, 3))
def test_what_was_measured_comes_in_order_over_and_over(
        tmp_path_factory: pytest.TempPathFactory, durations: list[int], rounds: int) -> None:
    lines = "\n".join(map(duration_text, durations))
    path = written(tmp_path_factory.mktemp("traces"), lines)
    latency, rng = Latency.parse(f"trace:{path}"), np.random.default_rng(0)
    assert Latency.parse(str(latency)) == latency
    assert [latency.sample(rng) for _ in range(rounds * len(durations))] == durations * rounds


def test_a_trace_has_options_and_its_name_may_have_a_comma(tmp_path: Path) -> None:
    path = written(tmp_path, "10ms", "a, b.txt")
    latency = Latency.parse(f"trace:{path},outliers=1x3,contention=0.5")
    assert latency == Contention(Outliers(Trace(str(path), (10 * MS,)), 1.0, 3.0), 0.5)
    assert latency.sample(np.random.default_rng(0), in_flight=3) == 60 * MS


@pytest.mark.parametrize(("content", "message"), [
    ("", "holds no duration"),
    ("# nothing\n\n", "holds no duration"),
    ("[]", "holds no duration"),
    ("95ms\n-5ms\n", "line 2: duration '-5ms': write a positive number"),
    ("0.1\n\nnan\n", "line 3: duration 'nan' must be positive and below an hour"),
    ("0.1\n-0.2\n", "line 2: duration '-0.2' must be positive"),
    ("0\n", "line 1: duration '0' must be positive"),
    ("95ms\n1e9\n", "line 2: duration '1e9' must be positive and below an hour"),
    ("duration\n95ms", "line 1: duration 'duration'"),
    ("95ms 96ms", "line 1: duration '95ms 96ms'"),
    ("[0.1, -1]", "item 2: duration -1 must be positive"),
    ("[0.1, NaN]", "item 2: duration nan must be positive"),
    ("[0.1, true]", "item 2: True is not a duration"),
    ("[0.1, [0.1]]", r"item 2: \[0.1\] is not a duration"),
    ("[0.1, null]", "item 2: None is not a duration"),
    ("[0.1,\n}", "not a JSON list: line 2"),
    ("[" * 100_000, "not a JSON list"),
    ("[1" + "0" * 5000 + "]", "trace"),
    (b"\xff\xfe\x00", "cannot be read: it is not text"),
])
def test_what_is_no_trace_is_refused_in_one_line(content: str | bytes, message: str,
                                                 tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigError, match=message) as caught:
        Latency.parse(f"trace:{path}")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200


@pytest.mark.parametrize("name", ["no-such-file", ".", "x" * 5000, "/dev/zero"])
def test_a_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; write one measured duration a line"):
        Latency.parse(f"trace:{tmp_path / name}")


def test_values_are_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps([0.1, 0.2]))
    assert Latency.parse(f"trace:{path}") == Trace(str(path), (100 * MS, 200 * MS))
