"""Which tests start nodes: clocks drive these, so that nothing may run beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# on a loaded machine anything takes long: no test is one of speed
settings.register_profile("default", deadline=None)
settings.register_profile("few", max_examples=10, deadline=None)
settings.load_profile("default")
_HERE = Path(__file__).resolve().parent
_LIVE = ("nodes", "ros", "bench/test_live.py", "benchmarks/test_malformed.py",
         "runner/test_supervisor.py", "robot_sim/test_sim_live.py", "test_launch.py",
         "test_launch_watch.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them `live`; `make test` runs the others in parallel before them."""
    for item in items:
        if any(item.path.is_relative_to(_HERE / live) for live in _LIVE):
            item.add_marker(pytest.mark.live)
