"""Where a policy is and what it hashes to: `file:///…/policy-000017.onnx#sha256=…`.

The SHA-256 is that of the file. Of a policy whose weights are in files of their own (ONNX external
data) it is that of the ONNX file and then those files, in the order in which the first mentions
them: `cat policy-000017.onnx policy-000017.safetensors | sha256sum`. One hash covers both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from realtime_rl.core.errors import PolicyError

_SCHEMES = ("file",)


@dataclass(frozen=True, slots=True)
class PolicyUri:
    """A policy file, and the SHA-256 that it must have."""

    path: Path
    """Absolute."""
    sha256: str = ""
    """64 lower-case hexadecimal digits, weights in other files included; empty: not checked."""

    def __str__(self) -> str:
        """Write it as the `policy` topic carries it."""
        fragment = f"#sha256={self.sha256}" if self.sha256 else ""
        return f"{self.path.as_uri()}{fragment}"

    @staticmethod
    def parse(text: str) -> PolicyUri:
        """Read a URI; `PolicyError` for another scheme, another host or a bad hash."""
        try:
            parts = urlsplit(text.strip())
        except ValueError as error:
            raise PolicyError(f"policy URI {text!r}: {error}") from error
        if parts.scheme not in _SCHEMES:
            raise PolicyError(f"policy URI {text!r}: scheme {parts.scheme!r} is not supported; "
                              "write 'file:///absolute/path.onnx#sha256=…'")
        path = Path(unquote(parts.path))
        if parts.netloc not in ("", "localhost") or parts.query or not path.is_absolute() \
                or "\0" in str(path):
            raise PolicyError(f"policy URI {text!r}: not an absolute path on this host; "
                              "write 'file:///absolute/path.onnx#sha256=…'")
        return PolicyUri(path, _sha256(text, parts.fragment))


def _sha256(text: str, fragment: str) -> str:
    if not fragment:
        return ""
    match = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", fragment)
    if match is None:
        raise PolicyError(f"policy URI {text!r}: {fragment!r} is not 'sha256=' and 64 hex digits")
    return match[1].lower()
