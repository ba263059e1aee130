"""Layouts of PlotJuggler and Foxglove lead to values that are there."""

from __future__ import annotations

import json
import typing
from typing import Any
from xml.etree import ElementTree as xml

import pytest

from docs.layouts import FOLDER, LAYOUTS, RECORDS, place
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.topics import TOPICS


def example(kind: type) -> wire.NamedScalars:
    """A record of this kind as it travels, each of its lists with two items."""
    values: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(kind).items():
        listed = typing.get_origin(hint) is tuple
        item = typing.get_args(hint)[0] if listed else hint
        one = "" if item is str else next(iter(item)) if hasattr(item, "__members__") else item(0)
        values[name] = (one, one) if listed else one
    return wire.encode(kind(**values))


def names_of(value: str) -> tuple[str, ...]:
    return example(RECORDS[value.partition(".")[0]]).names


@pytest.mark.parametrize("name", LAYOUTS)
def test_plotjuggler_is_given_names_that_records_have(name: str) -> None:
    tree = xml.fromstring((FOLDER / f"{name}.plotjuggler.xml").read_text(encoding="utf-8"))
    curves = [curve.attrib["name"] for curve in tree.iter("curve")]
    assert len(curves) == sum(len(plot.values) for plot in LAYOUTS[name])
    for curve in curves:
        _, topic, value, position = curve.split("/")
        assert position == "position" and value in names_of(topic)
        assert any(each.name == topic for each in TOPICS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_foxglove_is_given_the_places_of_those_names(name: str) -> None:
    layout = json.loads((FOLDER / f"{name}.foxglove.json").read_text(encoding="utf-8"))
    paths = [path for panel in layout["configById"].values() for path in panel.get("paths", ())]
    assert len(paths) >= 9
    for path in paths:
        topic, _, value = path["label"].partition(".")
        at = int(path["value"].removeprefix(f"/{topic}.position[").removesuffix("]"))
        assert names_of(topic)[at] == value
    assert set(panels_in(layout["layout"])) == set(layout["configById"])


def panels_in(layout: Any) -> list[str]:
    return ([layout] if isinstance(layout, str)
            else panels_in(layout["first"]) + panels_in(layout["second"]))


def test_what_stands_behind_another_list_has_no_place_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"robot\.measured\.0"):
        place("robot.measured.0")
