"""No two files of the tests have one name.

Where launch_testing is installed, its pytest plugin imports every test file by its basename,
however pytest itself imports them; a second file of that name is then taken for the first.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent
NAMES = Counter(path.stem for path in TESTS.rglob("*.py") if path.name != "conftest.py")


def test_no_name_occurs_twice() -> None:
    assert [name for name, count in NAMES.items() if count > 1] == []


def test_no_name_is_one_of_the_standard_library() -> None:
    assert NAMES.keys() & sys.stdlib_module_names == set()
