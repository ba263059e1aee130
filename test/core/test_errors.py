"""What errors that many places raise say."""

from __future__ import annotations

import pytest

from realtime_rl.core.errors import MissingDependencyError

FIX = "; fix: pip install '.[bags]' in the clone"


@pytest.mark.parametrize(("cause", "words"), [
    (None, "rosbags is not installed"),
    (ModuleNotFoundError("No module named 'rosbags'", name="rosbags"), "rosbags is not installed"),
    (ModuleNotFoundError("No module named 'rosbags.x'", name="rosbags.x"),
     "rosbags is not installed"),
    (ModuleNotFoundError("No module named 'backports'", name="backports"),
     "rosbags cannot be imported: No module named 'backports'"),
    (ImportError("libGL.so.1: cannot open\nshared object file", path="/x.so"),
     "rosbags cannot be imported: libGL.so.1: cannot open shared object file")])
def test_what_is_missing_is_named_and_not_what_needs_it(
    cause: ImportError | None, words: str
) -> None:
    assert str(MissingDependencyError("rosbags", "bags", cause)) == words + FIX
