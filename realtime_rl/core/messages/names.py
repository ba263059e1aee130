"""ROS 2's rules for names, in one place: a bad one is refused before any process starts."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST = {"namespace": 200, "node name": 255}
"""Characters. A topic has 247 at most: behind a namespace there is room for our longest service."""
_MOST_OF_A_FRAME = 255


def namespace_problem(text: str) -> str | None:
    """Say in one line why `text` is no namespace, or `None`; a `/` at its ends may be left out."""
    inner = clean(text)
    return _problem("namespace", text, inner.split("/")) if inner else None


def node_problem(text: str) -> str | None:
    """Say in one line why `text` is no node's name, or `None`."""
    return _problem("node name", text, [text])


def frame_problem(text: str) -> str | None:
    """Say in one line why `text` is no coordinate frame, or `None`; tf2 allows almost anything."""
    if text and len(text) <= _MOST_OF_A_FRAME and text.isprintable() and text[0] != "/" \
            and not any(map(str.isspace, text)):
        return None
    return (f"{_short(text)} is no frame: it has 1 to {_MOST_OF_A_FRAME} characters, none of them "
            "blank, and does not begin with '/'")


def clean(namespace: str) -> str:
    """Return a namespace without a `/` at its ends."""
    return namespace.removeprefix("/").removesuffix("/")


def within(outer: str, inner: str) -> str:
    """Return the namespace `inner` in the namespace `outer`; one that begins with `/` stands."""
    if inner.startswith("/"):
        return inner
    return "/".join(filter(None, map(clean, (outer, inner))))


def _problem(kind: str, text: str, tokens: list[str]) -> str | None:
    if all(_TOKEN.fullmatch(token) for token in tokens) and len(text) <= _MOST[kind]:
        return None
    parts = ", parts of them between '/'" if kind == "namespace" else ""
    return (f"{_short(text)} is no {kind} of ROS 2: at most {_MOST[kind]} letters A to Z, digits "
            f"and '_', no digit first{parts}")


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}…"
