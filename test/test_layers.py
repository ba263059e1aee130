"""Imports go one way, between rooms and inside core: read from the sources, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "realtime_rl"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

MIDDLE = {"plants", "policies", "learning", "bags", "ros"}
BASE = {"core", "files", "free_memory", "strict_json", "yaml_loader", ""}
"""All but `core` are modules, "" the package itself."""
ALLOWED: dict[str, set[str]] = {
    "": BASE | MIDDLE | {"api"}, "files": set(), "free_memory": set(), "strict_json": set(),
    "yaml_loader": set(),
    "core": {"core"},
    **{name: BASE | {name} for name in MIDDLE},
    "simulate": BASE | MIDDLE | {"simulate"},
    "nodes": BASE | MIDDLE | {"nodes"},
    "runner": BASE | MIDDLE | {"simulate", "runner"},
    "bench": BASE | MIDDLE | {"simulate", "runner", "bench"},
    "cli": BASE | MIDDLE | {"simulate", "runner", "bench", "cli"},
    "api": BASE | MIDDLE | {"simulate", "bench"},
}
INSIDE = {"", "__version__"}
"""What the rooms may take from the package itself; its other names are for its users."""
AT_ONCE = {"__future__", "typing"}
"""What the package imports when it is imported; the rest is for type checkers, or asked for."""
CORE_ORDER = ("errors", "observations", "enumerations", "types", "messages", "policy", "peers",
              "schedule", "control", "experience", "figures", "settings", "robot")
"""Inside `core`, each imports only what stands before it; of the folders, themselves too."""
ROS = {"rclpy", "rcl_interfaces", "builtin_interfaces", "rosidl_runtime_py", "std_srvs", "launch",
       "launch_ros"}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
CORE_MODULES = {
    "__future__", "array", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib",
    "heapq", "itertools", "math", "numpy", "operator", "pathlib", "random", "re", "statistics",
    "string", "struct", "types", "typing", "urllib"}
"""What `core` may import beside itself: nothing that tells the time, waits, reads or writes."""
IO_CALLS = {"open", "input", "print", "breakpoint"}
IO_ATTRIBUTES = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "exists", "is_file", "is_dir",
    "stat", "resolve", "absolute", "cwd", "home", "glob", "rglob", "iterdir", "mkdir", "unlink",
    "touch", "rename", "urlopen", "tofile", "fromfile", "memmap", "loadtxt", "savetxt",
    "now", "today", "utcnow", "monotonic", "monotonic_ns", "perf_counter", "time_ns", "sleep"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def room(path: Path, root: Path) -> str:
    first = path.relative_to(root).with_suffix("").parts[0]
    return "" if first == "__init__" else first


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Full names of what a file imports, wherever in it; `.` for a relative one."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." if node.level else node.module
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def outside(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level modules from elsewhere."""
    return ((name.split(".")[0], line) for name, line in imports(path)
            if name.split(".")[0] != PACKAGE)


def inside(path: Path, root: Path) -> Iterator[tuple[str, int]]:
    """Rooms of ours."""
    for name, line in imports(path):
        first, second, *_ = [*name.split("."), ""]
        if first == PACKAGE:
            known = (root / second).is_dir() or (root / f"{second}.py").is_file()
            yield (second if known else "" if second in INSIDE else "api", line)


def called(path: Path) -> Iterator[tuple[str, int]]:
    """Bare names that are called."""
    return ((node.func.id, node.lineno) for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))


def attributes(path: Path) -> Iterator[tuple[str, int]]:
    return ((node.attr, node.lineno) for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute))


Offences = Iterator[tuple[str, int]]


def upward_imports(path: Path, root: Path) -> Offences:
    yield from ((other, line) for other, line in inside(path, root)
                if other not in ALLOWED[room(path, root)])
    yield from ((name, line) for name, line in imports(path) if name.startswith("."))


def backward_imports_in_core(path: Path, root: Path) -> Offences:
    parts = path.relative_to(root).with_suffix("").parts
    if parts[0] != "core" or parts[1] == "__init__":
        return
    place = CORE_ORDER.index(parts[1])
    allowed = CORE_ORDER[:place] + ((parts[1],) if len(parts) > 2 else ())
    yield from ((name, line) for name, line in imports(path)
                if name.startswith(f"{PACKAGE}.core.") and name.split(".")[2] not in allowed)


def eager_imports_of_the_face(path: Path, root: Path) -> Offences:
    if path == root / "__init__.py":
        yield from ((ast.unparse(node), node.lineno) for node in tree(path).body
                    if isinstance(node, ast.Import | ast.ImportFrom)
                    and getattr(node, "module", None) not in AT_ONCE)


def ros_outside_its_rooms(path: Path, root: Path) -> Offences:
    if room(path, root) not in ("ros", "nodes") or path == root / "ros" / "graph.py":
        yield from ((name, line) for name, line in outside(path)
                    if name in ROS or name.endswith("_msgs"))


def torch_outside_learning(path: Path, root: Path) -> Offences:
    if room(path, root) != "learning":
        yield from ((name, line) for name, line in outside(path) if name == "torch")


def execution_of_what_is_read(path: Path, root: Path) -> Offences:
    del root
    yield from ((name, line) for name, line in outside(path) if name in UNSAFE_MODULES)
    yield from ((name, line) for name, line in called(path) if name in UNSAFE_CALLS)


def impurity_of_core(path: Path, root: Path) -> Offences:
    if room(path, root) == "core":
        yield from ((n, line) for n, line in outside(path) if n not in CORE_MODULES)
        yield from ((n, line) for n, line in called(path) if n in IO_CALLS)
        yield from ((n, line) for n, line in attributes(path) if n in IO_ATTRIBUTES)


RULES = (upward_imports, backward_imports_in_core, eager_imports_of_the_face,
         ros_outside_its_rooms, torch_outside_learning, execution_of_what_is_read,
         impurity_of_core)
Rule = Callable[[Path, Path], Offences]


@pytest.mark.parametrize("rule", RULES)
def test_the_rooms_keep_to_the_rules(rule: Rule) -> None:
    found = [f"{path.relative_to(ROOT.parent)}:{line}: {name}"
             for path in sorted(ROOT.rglob("*.py")) for name, line in rule(path, ROOT)]
    assert not found


def test_every_room_is_known() -> None:
    rooms = {room(path, ROOT) for path in ROOT.rglob("*.py")}
    assert rooms <= set(ALLOWED)
    assert rooms >= MIDDLE | {"core", "files", "free_memory", "simulate", "nodes", "runner", "cli"}


@pytest.mark.parametrize(("rule", "where", "source"), [
    (upward_imports, "core/x.py", "import realtime_rl.ros.graph"),
    (upward_imports, "core/x.py", "from realtime_rl.files import sha256_of"),
    (upward_imports, "core/x.py", "from realtime_rl.free_memory import available_bytes"),
    (upward_imports, "plants/x.py", "from realtime_rl import bags"),
    (upward_imports, "ros/x.py", "from realtime_rl.nodes.plant import PlantNode"),
    (upward_imports, "nodes/x.py", "def f():\n    from realtime_rl.cli import run"),
    (upward_imports, "core/x.py", "from . import types"),
    (backward_imports_in_core, "core/messages/x.py",
     "from realtime_rl.core.schedule.stagger import Schedule"),
    (backward_imports_in_core, "core/types.py", "from realtime_rl.core.messages import ranges"),
    (upward_imports, "cli/x.py", "from realtime_rl import make_plant"),
    (upward_imports, "api.py", "def f():\n    from realtime_rl.cli import run"),
    (upward_imports, "__init__.py", "def f():\n    from realtime_rl.nodes import plant"),
    (eager_imports_of_the_face, "__init__.py", "from realtime_rl.api import make_plant"),
    (eager_imports_of_the_face, "__init__.py", "import numpy"),
    (ros_outside_its_rooms, "cli/x.py", "def f():\n    import rclpy.utilities"),
    (ros_outside_its_rooms, "bags/x.py", "from sensor_msgs.msg import Joy"),
    (ros_outside_its_rooms, "ros/graph.py", "import rclpy"),
    (torch_outside_learning, "policies/x.py", "from torch import nn"),
    (execution_of_what_is_read, "bags/x.py", "import pickle"),
    (execution_of_what_is_read, "learning/x.py", "eval('1')"),
    (impurity_of_core, "core/x.py", "from time import monotonic"),
    (impurity_of_core, "core/x.py", "import threading"),
    (impurity_of_core, "core/x.py", "open('x')"),
    (impurity_of_core, "core/x.py", "path.read_text()"),
])
def test_an_offence_would_be_found(tmp_path: Path, rule: Rule, where: str, source: str) -> None:
    for name in ALLOWED:
        (tmp_path / name).mkdir(exist_ok=True)
    path = tmp_path / where
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    assert list(rule(path, tmp_path))
