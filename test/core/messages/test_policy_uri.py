"""URIs of policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_uri import PolicyUri

HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize("path", ["/tmp/policy-000017.onnx", "/a b/ü#1/50%.onnx"])
@pytest.mark.parametrize("sha256", ["", HASH])
def test_what_is_written_is_read(path: str, sha256: str) -> None:
    uri = PolicyUri(Path(path), sha256)
    assert PolicyUri.parse(str(uri)) == uri


def test_form() -> None:
    assert str(PolicyUri(Path("/p/a.onnx"), HASH)) == f"file:///p/a.onnx#sha256={HASH}"


def test_hash_is_read_in_either_case() -> None:
    assert PolicyUri.parse(f"file:///p/a.onnx#sha256={HASH.upper()}").sha256 == HASH


@pytest.mark.parametrize(("text", "message"), [
    ("https://host/a.onnx", "scheme 'https' is not supported"),
    ("/p/a.onnx", "scheme '' is not supported"),
    ("", "scheme '' is not supported"),
    ("file://otherhost/p/a.onnx", "not an absolute path on this host"),
    ("file:a.onnx", "not an absolute path on this host"),
    ("file:///p/a.onnx?x=1", "not an absolute path on this host"),
    ("file:///p/a.onnx#sha256=123", "'sha256=123' is not 'sha256=' and 64 hex digits"),
    ("file:///p/a.onnx#md5=123", "'md5=123' is not"),
    ("file://[/a", "policy URI"),
])
def test_others_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        PolicyUri.parse(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)
