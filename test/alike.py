"""Records that hold NaN: from Python 3.13 on, such a record does not equal its own copy."""

from __future__ import annotations


def same(left: object, right: object) -> bool:
    """Equality of records in which NaN equals NaN."""
    return repr(left) == repr(right)
