"""Changes one place of `realtime_rl/core` at a time and says which changes no test notices.

    python test/mutations.py --seed 1 --count 100

Not a test: 100 take half an hour. It works on a copy. A mutation is a sign, a comparison, a
constant, a removed call or an inverted condition; the tests that import its module are run.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.extra.numpy
import numpy  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parent.parent
SWAPPED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.And: ast.Or,
    ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
_MOST_BYTES = 2 << 30
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
TEXTS = (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom)
"""What is said, or imported: no decision."""
SLOW = ("test/nodes", "test/ros", "test/runner", "test/cli", "test/benchmarks", "test/learning")
LONG = ("test_planner.py", "test_bursts.py", "test_fuzz.py", "test_plausibility.py")


@dataclass(frozen=True)
class Mutation:
    """One change of a module's tree."""

    path: Path
    place: int
    """Number of the changed node in the order of `nodes`."""
    line: int
    what: str


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that decide something, always in the same order."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, TEXTS):
                yield child
                yield from nodes(child)


Change = tuple[str, str, object]
"""What is changed, in words; the field of the node, and its new value."""


def change(node: Any) -> Change | None:
    """Return how to change a node; `None`: not at all."""
    match node:
        case ast.Compare(ops=[op, *rest]) if type(op) in SWAPPED:
            return _swapped(op), "ops", [SWAPPED[type(op)](), *rest]
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(node.op) in SWAPPED:
            return _swapped(node.op), "op", SWAPPED[type(node.op)]()
        case ast.UnaryOp(op=ast.USub()):
            return "sign dropped", "op", ast.UAdd()
        case ast.UnaryOp(op=ast.Not()):
            return "not dropped", "operand", ast.UnaryOp(ast.Not(), node.operand)
        case ast.If() | ast.While() | ast.IfExp():
            return "condition inverted", "test", ast.UnaryOp(ast.Not(), node.test)
    return _value(node)


def _value(node: Any) -> Change | None:
    match node:
        case ast.Constant(value=bool()):
            return f"{node.value} → {not node.value}", "value", not node.value
        case ast.Constant(value=int() | float()):
            other = node.value * 2 if node.value > 8 else node.value + 1
            return f"{node.value} → {other}", "value", other
        case ast.Expr(value=ast.Call()):
            return "call removed", "value", ast.Constant(None)
        case ast.Name() if node.id in NAMES:
            return f"{node.id} → {NAMES[node.id]}", "id", NAMES[node.id]
    return None


def _swapped(op: ast.AST) -> str:
    return f"{type(op).__name__} → {SWAPPED[type(op)].__name__}"


def mutations(root: Path) -> list[Mutation]:
    """Return all there are, in order."""
    return [Mutation(path.relative_to(root), place, getattr(node, "lineno", 0), found[0])
            for path in sorted((root / "realtime_rl" / "core").rglob("*.py"))
            for place, node in enumerate(nodes(ast.parse(path.read_text(encoding="utf-8"))))
            if (found := change(node)) is not None]


def mutated(source: str, mutation: Mutation) -> str:
    """Return a module's source with one place changed."""
    tree = ast.parse(source)
    for place, node in enumerate(nodes(tree)):
        if place == mutation.place and (found := change(node)) is not None:
            setattr(node, *found[1:])
    return ast.unparse(ast.fix_missing_locations(tree))


def tests_of(root: Path, module: str) -> list[list[str]]:
    """Return the tests that import a module, else those of its users, in the order of trying.

    First those of the same name, then the others of core that are quick, then the rest.
    """
    found = [str(path.relative_to(root)) for path in _importing(root / "test", module)
             if path.name.startswith("test_")]
    if not found:
        users = [".".join(path.relative_to(root).with_suffix("").parts)
                 for path in _importing(root / "realtime_rl", module)]
        found = sorted({path for user in users for group in tests_of(root, user)
                        for path in group})
    name = module.rpartition(".")[2]
    named = [path for path in found if path.endswith(f"test_{name}.py")]
    quick = [path for path in found if path.startswith("test/core") and path not in named
             and not path.endswith(LONG)]
    rest = [path for path in found if path not in (*named, *quick) and not path.startswith(SLOW)]
    return [named, quick, rest]


def _importing(folder: Path, module: str) -> list[Path]:
    package, _, name = module.rpartition(".")
    wanted = re.compile(rf"from {re.escape(module)} import|"
                        rf"from {re.escape(package)} import .*\b{name}\b")
    return [path for path in sorted(folder.rglob("*.py"))
            if wanted.search(path.read_text(encoding="utf-8"))]


def passes(root: Path, tests: list[str], limit_s: int) -> str:
    """Run tests in a child that has the libraries already; return what noticed, or nothing."""
    if not tests:
        return ""
    said = root / "said.txt"
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
        with said.open("w", encoding="utf-8") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os._exit(_run(root, tests))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    lines = [line for line in said.read_text(encoding="utf-8", errors="replace").splitlines()
             if line.startswith(("FAILED", "ERROR"))]
    return "" if status == 0 else (lines or [f"status {status}"])[0]


def _run(root: Path, tests: list[str]) -> int:
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)
    sys.path[:] = [str(root), *(each for each in sys.path if Path(each or ".").resolve() not in (
        ROOT, ROOT / "test"))]
    hypothesis.settings.register_profile("few", max_examples=40, deadline=None, database=None)
    hypothesis.settings.load_profile("few")
    return int(pytest.main(["-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]))


def main() -> int:
    """Try mutations; the exit status is 1 where some survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--limit", type=int, default=120, metavar="S",
                        help="of CPU time for the tests of a stage: what takes longer is noticed")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="of them, the first")
    parser.add_argument("--stages", type=int, default=3, help="1 and 2 are quick, 3 says more")
    parser.add_argument("--only", default="", metavar="TEXT", help="of modules with this in a path")
    args = parser.parse_args()
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".*", "__pycache__", "runs"))
        known = [each for each in mutations(root) if args.only in str(each.path)]
        chosen = random.Random(args.seed).sample(known, min(args.count, len(known)))
        print(f"{len(chosen)} of {len(known)} mutations", flush=True)
        for number, each in list(enumerate(chosen, 1))[args.skip:]:
            path = root / each.path
            source = path.read_text(encoding="utf-8")
            module = ".".join(each.path.with_suffix("").parts)
            path.write_text(mutated(source, each), encoding="utf-8")
            os.utime(path, (number, number))  # what was compiled is known by time and size
            noticed = next(filter(None, (passes(root, tests, args.limit)
                                         for tests in tests_of(root, module)[:args.stages])), "")
            path.write_text(source, encoding="utf-8")
            os.utime(path, (0, 0))
            survivors += not noticed
            print(f"{number}: {each.path}:{each.line}: {each.what}: {noticed or 'SURVIVED'}",
                  flush=True)
    print(f"{survivors} survived")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
