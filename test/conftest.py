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


def _is_live(path: Path) -> bool:
    return any(path.is_relative_to(_HERE / live) for live in _LIVE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file of which no test would be run: reading all of them takes half a minute."""
    wanted = {"live": True, "not live": False}.get(config.option.markexpr)
    if wanted is None or collection_path.suffix != ".py":
        return None
    return True if _is_live(collection_path) != wanted else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them `live`; `make test` runs the others in parallel before them."""
    for item in items:
        if _is_live(item.path):
            item.add_marker(pytest.mark.live)
