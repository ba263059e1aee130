"""Layouts of PlotJuggler and Foxglove for a run, made of the records' own layout: `layouts/`.

`python -m docs.generate` writes them. PlotJuggler names the values of a `JointState` by their
names; Foxglove takes places in the list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as xml

from realtime_rl.core.messages.record_fields import fields_of
from realtime_rl.core.messages.records import (
    Inference,
    Learning,
    RobotRecord,
    ScheduleRecord,
    Timestep,
    Verdict,
)

FOLDER = Path(__file__).parent.parent / "layouts"
RECORDS: dict[str, type] = {
    "timestep": Timestep, "verdict": Verdict, "inference": Inference, "schedule": ScheduleRecord,
    "learning": Learning, "robot": RobotRecord}
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")


@dataclass(frozen=True)
class Plot:
    """One picture: values by `topic.field`, a list's as `topic.field.0`."""

    title: str
    values: tuple[str, ...]


_ACTING = Plot("Who acted (cause), and missed ticks", ("timestep.cause", "timestep.missed"))
_DELAY = Plot("Delay [ticks], promised and as it was",
              ("verdict.delay_ticks", "schedule.promised_delay_ticks"))
_TIME = Plot("Time of an inference [s]", ("inference.duration_s", "inference.compute_s"))
LAYOUTS = {
    "game": (_ACTING, Plot("Reward", ("timestep.reward",)), _DELAY, _TIME,
             Plot("Learning", ("learning.loss", "learning.epsilon"))),
    "robot": (Plot("What it was sent, and where it is", (
                  "robot.sent.0", "robot.sent.1", "robot.measured.0", "robot.measured.1")),
              Plot("Phase, and what stops it", ("robot.phase", "robot.stopped_by")),
              Plot("Age of what its sources said [s]", ("robot.ages_s.0", "robot.ages_s.1")),
              _ACTING, _DELAY, _TIME)}


def place(value: str) -> str:
    """Return where Foxglove finds a value in the topic's list; a list's depends on the others."""
    topic, name, *item = value.split(".")
    scalars = [each for each, field in fields_of(RECORDS[topic]).items()
               if each != "stamp_ns" and field.kind is not str and not field.listed]
    if not item:
        return str(scalars.index(name))
    lists = [each for each, field in fields_of(RECORDS[topic]).items() if field.listed]
    if lists[0] != name:
        raise ValueError(f"{value}: its place depends on how many items the lists before it have")
    return str(len(scalars) + int(item[0]))


def plotjuggler(plots: tuple[Plot, ...]) -> str:
    """Return a layout, a picture below the other."""
    root = xml.Element("root")
    tabs = xml.SubElement(root, "tabbed_widget", parent="main_window", name="Main Window")
    container = xml.SubElement(xml.SubElement(tabs, "Tab", containers="1", tab_name="run"),
                               "Container")
    splitter = xml.SubElement(container, "DockSplitter", orientation="-", count=str(len(plots)),
                              sizes=";".join([f"{1 / len(plots):.6f}"] * len(plots)))
    for each in plots:
        area = xml.SubElement(splitter, "DockArea", name=each.title)
        drawn = xml.SubElement(area, "plot", style="Lines", mode="TimeSeries", flip_x="false",
                               flip_y="false")
        xml.SubElement(drawn, "limitY")
        for value, colour in zip(each.values, _COLOURS, strict=False):
            topic, _, name = value.partition(".")
            xml.SubElement(drawn, "curve", name=f"/{topic}/{name}/position", color=colour)
    xml.SubElement(root, "use_relative_time_offset", enabled="1")
    xml.indent(root, " ")
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + xml.tostring(root, "unicode") + "\n"


def foxglove(plots: tuple[Plot, ...], *, pictures: bool) -> str:
    """Return a layout: pictures beside the plots, which stand one below the other."""
    panels: dict[str, object] = {}
    for number, each in enumerate(plots):
        panels[f"Plot!run{number}"] = {
            "title": each.title, "isSynced": True, "xAxisVal": "timestamp",
            "showLegend": True, "legendDisplay": "floating", "showXAxisLabels": True,
            "showYAxisLabels": True, "showPlotValuesInLegend": False, "sidebarDimension": 240,
            "paths": [{"value": f"/{value.partition('.')[0]}.position[{place(value)}]",
                       "label": value, "enabled": True, "timestampMethod": "headerStamp"}
                      for value in each.values if _has_place(value)]}
    column: object = None
    for name in reversed(list(panels)):
        column = name if column is None else {"direction": "column", "first": name,
                                              "second": column}
    if pictures:
        panels["Image!run"] = {"imageMode": {"imageTopic": "/observation"}}
    layout = ({"direction": "row", "first": "Image!run", "second": column, "splitPercentage": 35}
              if pictures else column)
    return json.dumps({"configById": panels, "globalVariables": {}, "userNodes": {},
                       "playbackConfig": {"speed": 1}, "layout": layout}, indent=1) + "\n"


def _has_place(value: str) -> bool:
    try:
        place(value)
    except ValueError:
        return False
    return True


def files() -> dict[Path, str]:
    """Return all layouts by their files."""
    found = {}
    for name, plots in LAYOUTS.items():
        found[FOLDER / f"{name}.plotjuggler.xml"] = plotjuggler(plots)
        found[FOLDER / f"{name}.foxglove.json"] = foxglove(plots, pictures=name == "game")
    return found
