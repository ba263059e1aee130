"""The language of the rules: against a plain reading of the same files, then one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_rules import Plain

from realtime_rl.core.errors import PlantError
from realtime_rl.plants.ram_rules import Hold, Poke, Rules, Until, Wait
from realtime_rl.plants.ram_values import Cell
from realtime_rl.plants.rule_conditions import described, now_holds
from realtime_rl.plants.rule_score import Score, Watch
from realtime_rl.plants.rules_file import load_rules

BASE, SPAN = 0xC000, 12
Memory = Sequence[int]


def rules_of(content: Any) -> Rules:
    """Load rules from what a file would say."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(content if isinstance(content, str)
                        else yaml.safe_dump(content, sort_keys=False))
        return load_rules(path)


def memory_of(data: Memory) -> bytearray:
    memory = bytearray(0x10000)
    memory[BASE:BASE + len(data)] = bytes(data)
    return memory


INTEGERS = ("u8", "i8", "u16le", "u16be", "i16le", "i16be", "u24le", "u24be", "u32le", "u32be")


@st.composite
def values(draw: st.DrawFn, joins: Sequence[str], counters: Sequence[str] = ()) -> dict[str, Any]:
    if counters and draw(st.integers(0, 3)) == 0:
        return {"counter": draw(st.sampled_from(counters))}
    kind = draw(st.sampled_from([*INTEGERS, "u8", "u8", "bcd", "bcd_be", "digits"]))
    spec: dict[str, Any] = {"address": BASE + draw(st.integers(0, 3)), "type": kind}
    if kind in ("bcd", "bcd_be", "digits"):
        spec["bytes"] = draw(st.integers(1, 3))
        if kind == "digits" and draw(st.booleans()):
            spec["zero"] = draw(st.sampled_from([0, 1, 246]))
    elif kind.startswith("u") and draw(st.integers(0, 3)) == 0:
        spec["mask"] = draw(st.sampled_from([1, 0x0F, 0xF0, 0x81]))
        spec["count_bits"] = draw(st.booleans())
    if joins and draw(st.integers(0, 2)) == 0:
        spec |= {"count": draw(st.integers(1, 3)), "join": draw(st.sampled_from(joins))}
        if draw(st.booleans()):
            spec["stride"] = draw(st.integers(1, 3))
    return spec


FOLDS, ALL = ("sum", "min", "max"), ("sum", "min", "max", "any", "all", "each")
SMALL = st.one_of(st.integers(0, 1), st.integers(0, 9))


@st.composite
def conditions(draw: st.DrawFn, counters: Sequence[str], depth: int = 2) -> dict[str, Any]:
    if depth and draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(["any", "all", "not"]))
        inner = conditions(counters, depth - 1)
        return {kind: draw(inner) if kind == "not" else draw(st.lists(inner, min_size=1,
                                                                      max_size=3))}
    spec = draw(values(ALL, counters))
    top = 1 if spec.get("count_bits") or spec.get("mask") == 1 else 9
    limit = st.integers(0, min(top, spec.get("mask", 9)))
    if draw(st.booleans()):
        compared = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]))
        return spec | {"op": compared, "value": draw(
            st.lists(limit, min_size=1, max_size=3) if "in" in compared else limit)}
    kind = draw(st.sampled_from(["becomes", "rises", "falls", "changes"]))
    spec |= {"event": kind}
    if kind == "becomes":
        spec["to"] = draw(st.one_of(limit, st.lists(limit, min_size=1, max_size=3)))
    elif kind != "changes":
        way = draw(st.sampled_from(["", "to", "by", "modulo"]))
        if way == "modulo" and "counter" not in spec:
            spec["modulo"] = draw(st.sampled_from([2, 3, 10, 256]))
        elif way in ("to", "by"):
            spec[way] = draw(limit) if way == "to" else draw(st.integers(1, 3))
    return spec


@st.composite
def terms(draw: st.DrawFn, counters: Sequence[str], *, counter: bool = False) -> dict[str, Any]:
    if draw(st.booleans()):
        spec = draw(conditions(counters))
    else:
        spec = draw(values(FOLDS, counters))
        if "counter" not in spec and draw(st.integers(0, 2)) == 0:
            spec["modulo"] = draw(st.sampled_from([2, 5, 10, 256]))
        if not counter:
            spec["take"] = draw(st.sampled_from(["difference", "level"]))
    if draw(st.integers(0, 2)) == 0:
        spec["when"] = draw(st.one_of(conditions(counters, 1), st.lists(
            conditions(counters, 1), min_size=1, max_size=2)))
    return spec if counter else spec | {"weight": draw(st.sampled_from([1, -1, 0.5, 3]))}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(["won", "lost", "seen"]), unique=True, max_size=3))
    reward = st.one_of(terms(names), st.builds(
        lambda first: {"first": first}, st.lists(terms(names), min_size=1, max_size=3)))
    return {"counters": {name: draw(terms(names, counter=True)) for name in names},
            "rewards": draw(st.lists(reward, max_size=3)),
            "ends": draw(st.lists(conditions(names), max_size=2))}


PLAYED = st.lists(st.lists(st.one_of(SMALL, st.integers(0, 255)), min_size=SPAN, max_size=SPAN),
                  min_size=2, max_size=8)


@settings(max_examples=400, deadline=None)
@given(files(), PLAYED)
def test_rules_say_what_a_plain_reading_says(content: dict[str, Any], played: list[Memory]
                                             ) -> None:
    score, first = Score(rules_of(content)), memory_of(played[0])
    score.start(first)
    plain = Plain(content, first)
    for data in played[1:]:
        memory = memory_of(data)
        reward, over, counted = plain.tick(memory)
        assert score.update(memory) == (pytest.approx(reward), over)
        assert score.counters == tuple(counted)


def played(content: Any, *ticks: Memory) -> list[float]:
    """Return the rewards of some ticks after the first."""
    score = Score(rules_of({"rewards": content}))
    score.start(memory_of(ticks[0]))
    return [score.update(memory_of(data))[0] for data in ticks[1:]]


CELL = {"address": BASE, "type": "u8"}


def test_a_byte_that_wraps() -> None:
    ticks = ([254], [255], [0], [1], [255])
    assert played([CELL], *ticks) == [1, -255, 1, 254]
    assert played([CELL | {"modulo": 256}], *ticks) == [1, 1, 1, -2]


def test_events_happen_once() -> None:
    ticks = ([0], [3], [3], [4], [2], [0], [0])
    for event, wanted in (
            ({"event": "becomes", "to": 3}, [1, 0, 0, 0, 0, 0]),
            ({"event": "becomes", "to": [3, 4]}, [1, 0, 1, 0, 0, 0]),
            ({"event": "rises"}, [1, 0, 1, 0, 0, 0]),
            ({"event": "rises", "by": 1}, [0, 0, 1, 0, 0, 0]),
            ({"event": "rises", "to": 2}, [1, 0, 0, 0, 0, 0]),
            ({"event": "falls"}, [0, 0, 0, 1, 1, 0]),
            ({"event": "falls", "to": 0}, [0, 0, 0, 0, 1, 0]),
            ({"event": "changes"}, [1, 0, 1, 1, 1, 0])):
        assert played([CELL | event], *ticks) == wanted, event


def test_the_first_rule_that_gives_something_is_the_only_one() -> None:
    first = [CELL | {"event": "falls", "weight": -1},
             {"address": BASE + 1, "type": "u8", "event": "falls", "weight": 1}]
    ticks = ([5, 5], [4, 4], [4, 3], [4, 3])
    assert played([{"first": first}], *ticks) == [-1, 1, 0]
    assert played(first, *ticks) == [0, 1, 0]


def test_a_counter_makes_an_event_count_once() -> None:
    once = {"counters": {"caught": CELL | {"event": "rises", "when": {
        "counter": "caught", "op": "==", "value": 0}}}, "rewards": [{"counter": "caught"}]}
    score = Score(rules_of(once))
    score.start(memory_of([0]))
    assert [score.update(memory_of([n]))[0] for n in (0, 1, 1, 2, 3)] == [0, 1, 0, 0, 0]
    assert score.counters == (1,)
    score.start(memory_of([3]))
    assert score.counters == (0,)


def test_arrays_of_several_joins() -> None:
    array = {"address": BASE, "type": "u8", "count": 3, "stride": 2, "event": "falls", "to": 0}
    ticks = ([1, 9, 2, 9, 3], [0, 0, 0, 0, 3], [0, 0, 0, 0, 0])
    assert played([array | {"join": "any"}], *ticks) == [1, 1]
    assert played([array | {"join": "each"}], *ticks) == [2, 1]
    assert played([array | {"join": "all"}], *ticks) == [0, 0]
    array.pop("event"), array.pop("to")
    assert played([array | {"join": "sum", "take": "level"}], *ticks) == [3, 0]


@pytest.mark.parametrize(("cell", "data", "value"), [
    (Cell.of(BASE, "bcd_be", 2), [0x12, 0x34], 1234),
    (Cell.of(BASE, "digits", 4), b" 305", 305),
    (Cell.of(BASE, "digits", 3, zero=0xF6), [0xF6, 0xF7, 0xFF], 19),
    (Cell.of(BASE, "u24be"), [1, 2, 3], 0x010203),
    (Cell.of(BASE, "u32le"), [1, 0, 0, 2], 2**25 + 1),
    (Cell.of(BASE, "i16be"), [0xFF, 0xFE], -2), (Cell.of(BASE, "i16le"), [0xFE, 0xFF], -2),
    (Cell.of(BASE, "u8", mask=0x70), [0xAB], 0x20),
    (Cell.of(BASE, "u16le", bits=True), [0xFF, 0x03], 10),
    (Cell.of(BASE, "u8", mask=0x0F, bits=True), [0xF5], 2)])
def test_values(cell: Cell, data: Memory, value: int) -> None:
    memory = memory_of(data)
    assert cell.read(memory) == value
    assert cell.low <= value <= cell.high
    if not cell.bits and cell.kind != "digits":
        cell.write(memory, value)
        assert memory == memory_of(data)


def test_a_mask_leaves_the_other_bits_alone() -> None:
    memory = memory_of([0xFF])
    rules = rules_of({"pokes": [CELL | {"mask": 0x0F, "value": 3}]})
    rules.write(memory, np.random.default_rng(0))
    assert memory[BASE] == 0xF3


def test_one_hot_and_arrays_are_observed() -> None:
    rules = rules_of({"observe": {
        "mode": CELL | {"one_of": [0, 2, 5]},
        "row": {"address": BASE + 1, "type": "u8", "count": 2, "low": 0, "high": 10}}})
    assert list(rules.observe) == ["mode=0", "mode=2", "mode=5", "row.0", "row.1"]
    watch = Watch(rules)
    assert watch.observed(memory_of([2, 0, 5])).tolist() == [0, 1, 0, -1, 0]
    assert watch.observed(memory_of([9, 10, 10])).tolist() == [0, 0, 0, 1, 1]
    assert watch.remarks() == []
    assert watch.observed(memory_of([0, 10, 11])).tolist() == [1, 0, 0, 1, 1]
    assert watch.remarks() == [
        "observe.row.1: 11 was outside 0 … 10, and shown as if it were at the limit"]


def test_the_way_to_the_start() -> None:
    rules = rules_of({
        "start": [{"frames": 9}, {"wait": [1, 5]},
                  {"press": "START", "until": CELL | {"op": "==", "value": 1}},
                  {"until": [CELL | {"op": "in", "value": [1, 2]}], "frames": 2, "limit": 8}],
        "ready": {"not": CELL | {"op": "==", "value": 0}},
        "episode_ticks": 100, "frame_skip": 4, "crop": [8, 0, 100, 144],
        "states": ["a.state", "/b.state"]})
    assert rules.start[:2] == (Hold("NOOP", 9), Wait(1, 5))
    press, wait = rules.start[2:]
    assert isinstance(press, Until) and isinstance(wait, Until)
    assert (press.label, press.frames, press.limit) == ("START", 4, 3600)
    assert (wait.label, wait.frames, wait.limit) == ("NOOP", 2, 8)
    assert rules.ready is not None
    assert [now_holds(rules.ready)(memory_of([n])) for n in (0, 1)] == [False, True]
    assert described(rules.ready) == "not (0xc000 == 0)"
    assert (rules.episode_ticks, rules.frame_skip, rules.crop) == (100, 4, (8, 0, 100, 144))
    assert [path.name for path in rules.states] == ["a.state", "b.state"]


SYMBOLS = """; of rgbds
[labels]
00:0150 Start
00:c001 wLives ; a comment
01:d010 wParty
02:d020 wFar
07 LIVES_AT_FIRST
c0de PRICE
BOOT:0100 Boot
wrong
"""


def test_symbols(tmp_path: Path) -> None:
    (tmp_path / "game.sym").write_text(SYMBOLS.replace("wrong\n", ""))
    path = tmp_path / "rules.yaml"

    def load(address: str) -> Rules:
        path.write_text(f"symbols: game.sym\npokes:\n- {{address: {address}, type: u8, value: 1}}")
        return load_rules(path)

    assert load("wLives").pokes == (Poke(Cell(0xC001, "u8", 1), 1),)
    assert load("wParty+0x2").pokes[0].cell.address == 0xD012
    for name, message in (("wLive", "similar: 'wLives'"), ("Start", "in ROM"),
                          ("wFar", "need not be the one in use"),
                          ("PRICE", "is no symbol"), ("Boot", "is no symbol")):
        with pytest.raises(PlantError, match=rf"rules.yaml:3: pokes\[0\].address: .*{message}"):
            load(name)
    (tmp_path / "game.sym").write_text("c001 wLives\n")  # no bank anywhere
    assert load("wLives").pokes[0].cell.address == 0xC001
    (tmp_path / "game.sym").write_text(SYMBOLS)
    wrong = r"rules.yaml:1: symbols: .*game.sym:10: 'wrong' is no sym"
    with pytest.raises(PlantError, match=wrong):
        load("wLives")
    (tmp_path / "game.sym").unlink()
    with pytest.raises(PlantError, match=r"rules.yaml:1: symbols: .*cannot be read"):
        load("wLives")


@pytest.mark.parametrize(("line", "message"), [
    ("rewards: [{%s, op: '==', event: rises}]", "rewards[0].event: it has a 'op' already"),
    ("rewards: [{%s, count: 2}]", "rewards[0].join: None is not one of 'all', 'any', 'each'"),
    ("rewards: [{%s, count: 2, join: any}]", "rewards[0].join: 'any' is not one of sum, min, max"),
    ("rewards: [{%s, join: sum}]", "rewards[0].join: it is of an array, which has a count"),
    ("rewards: [{%s, count: 2, join: sum, stride: 65535}]", "rewards[0].count: address 0x1bfff"),
    ("rewards: [{%s, event: becomes}]", "rewards[0].to: None is not an integer in 0 … 255"),
    ("rewards: [{%s, event: becomes, to: []}]", "rewards[0].to: [] is not a list of integers"),
    ("rewards: [{%s, event: changes, by: 3}]", "rewards[0].by: the event 'changes' has none"),
    ("rewards: [{%s, event: rises, to: 3, by: 1}]", "rewards[0].to: with it there is no 'by'"),
    ("rewards: [{%s, event: rises, value: 3}]", "rewards[0].value: an event has 'to'"),
    ("rewards: [{%s, op: '==', value: 3, to: 3}]", "rewards[0].to: it is of an event"),
    ("rewards: [{%s, op: '==', value: 3, take: level}]", "rewards[0].take: a condition gives 1"),
    ("rewards: [{%s, event: rises, when: []}]", "rewards[0].when: [] is not a condition"),
    ("rewards: [{%s, event: rises, when: {%s}}]", "rewards[0].when.op: None is not one of"),
    ("rewards: [{first: []}]", "rewards[0].first: [] is not a list of rewards"),
    ("rewards: [{first: [{%s}], weight: 3}]", "rewards[0].weight: 3 is not a known key: 'first'"),
    ("rewards: [{counter: won}]", "rewards[0].counter: 'won' is not one of "),
    ("counters: {won: {%s, take: level}}", "counters.won.take: a counter adds up changes"),
    ("counters: {a b: {%s}}", "counters: 'a b' is not a name of letters"),
    ("counters: {won: {counter: won, type: u8}}", "counters.won.type: a counter has none"),
    ("ends: [{any: []}]", "ends[0].any: [] is not a list of conditions"),
    ("ends: [{any: [{%s, op: '==', value: 1}], op: '=='}]", "ends[0].any: it has a 'op' already"),
    ("ends: [{not: {%s, op: '=', value: 1}}]", "ends[0].not.op: '=' is not one of"),
    ("ends: [{%s, op: in, value: [1, 256]}]", "ends[0].value: [1, 256] is not a list of integers"),
    ("ready: {%s, event: rises}", "ready: nothing has happened yet"),
    ("start: [{until: {%s, event: rises}}]", "start[0].until: nothing has happened yet"),
    ("start: [{wait: [5, 1]}]", "start[0].wait: [5, 1] is not two integers"),
    ("start: [{wait: [1, 5], press: A}]", "start[0].press: 'A' is not a known key: 'wait'"),
    ("start: [{frames: 3, limit: 5}]", "start[0].limit: 5 is not a known key"),
    ("crop: [100, 0, 100, 144]", "crop: [100, 0, 100, 144] is not left, top, width and height"),
    ("frame_skip: 0", "frame_skip: 0 is not an integer in 1 … 60"),
    ("episode_ticks: -1", "episode_ticks: -1 is not an integer"),
    ("rewards: [{address: wHP, type: u8}]", "rewards[0].address: 'wHP' is a name, and the rules"),
    ("rewards: [{%s, zero: 1}]", "rewards[0].zero: it is of the type 'digits'"),
    ("rewards: [{address: 0xC000, type: i8, mask: 3}]",
     "rewards[0].address: type 'i8' has no bits"),
    ("rewards: [{%s, count_bits: 1}]", "rewards[0].count_bits: 1 is not true or false"),
    ("rewards: [{%s, modulo: 1}]", "rewards[0].modulo: 1 is not an integer in 2"),
    ("pokes: [{%s, count_bits: true, value: 1}]", "pokes[0].count_bits: a number of bits cannot"),
    ("pokes: [{%s, mask: 2, value: 1}]", "pokes[0].value: 1 is not bits of the mask 0x2"),
    ("observe: {x: {%s, one_of: [1]}}", "observe.x.one_of: [1] is not two or more"),
    ("observe: {x: {%s, one_of: [1, 2], low: 1}}", "observe.x.one_of: a value has either"),
    ("roms: [{title: A, checksum: 256}]", "roms[0].checksum: 256 is not an integer"),
    ("states: 3", "states: 3 is not a list"),
])
def test_bad_rules_say_their_line(line: str, message: str) -> None:
    text = line.replace("%s", "address: 0xC000, type: u8")
    with pytest.raises(PlantError) as error:
        rules_of(f"title: X\n\n{text}\n")
    assert f"rules.yaml:3: {message}" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_said_twice_is_refused() -> None:
    with pytest.raises(PlantError, match="'title' is there twice"):
        rules_of("title: X\ntitle: Y\n")


def test_a_rule_in_the_midst_of_a_file_says_its_own_line() -> None:
    text = ("rewards:\n- address: 0xC000\n  type: u8\n- first:\n  - address: 0xC000\n"
            "    type: u8\n    event: leaps\n")
    with pytest.raises(PlantError, match=r"rules.yaml:7: rewards\[0\]|rules.yaml:7: rewards\[1\]"):
        rules_of(text)
