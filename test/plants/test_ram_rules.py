from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import PlantError
from realtime_rl.plants.buttons import EIGHT, SIX, action_space, pressed
from realtime_rl.plants.ram_rules import Hold, Poke, Reward, Rules, Watched
from realtime_rl.plants.ram_values import Cell
from realtime_rl.plants.rule_conditions import Compare
from realtime_rl.plants.rule_score import Score, Watch
from realtime_rl.plants.rule_values import Value
from realtime_rl.plants.rules_file import load_rules


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "game.yaml"
    path.write_text(text)
    return path


@given(st.sampled_from(["u8", "i8", "u16le", "u16be"]), st.integers(-128, 65535))
def test_integers_read_back(kind: str, value: int) -> None:
    cell, memory = Cell.of(0xC000, kind), bytearray(0x10000)
    if cell.low <= value <= cell.high:
        cell.write(memory, value)
        assert cell.read(memory) == value
    else:
        with pytest.raises(PlantError, match="does not fit"):
            cell.write(memory, value)


@given(st.integers(1, 8), st.data())
def test_bcd_reads_back_and_shows_decimal_digits(size: int, data: st.DataObject) -> None:
    cell, memory = Cell.of(0xC000, "bcd", size), bytearray(0x10000)
    value = data.draw(st.integers(0, cell.high))
    cell.write(memory, value)
    assert cell.read(memory) == value
    assert memory[0xC000:0xC000 + size][::-1].hex() == f"{value:0{2 * size}d}"


@pytest.mark.parametrize(("kind", "data", "value"), [
    ("u8", [200, 1], 200), ("i8", [200, 1], -56), ("u16le", [0x34, 0x12], 0x1234),
    ("u16be", [0x12, 0x34], 0x1234)])
def test_byte_order_and_sign(kind: str, data: list[int], value: int) -> None:
    memory = bytearray(0x10000)
    memory[0xD000:0xD002] = bytes(data)
    assert Cell.of(0xD000, kind).read(memory) == value


@pytest.mark.parametrize(("parts", "message"), [
    ((0xC000, "u32", None), "'u32'; choose from 'bcd', 'bcd_be', 'digits', 'i16be'"),
    ((0xC000, "bcd", None), "needs bytes"),
    ((0xC000, "u8", 1), "has none"),
    ((0xFFFF, "u16le", None), "outside memory"),
])
def test_bad_cells(parts: tuple[int, str, int | None], message: str) -> None:
    with pytest.raises(PlantError, match=message):
        Cell.of(*parts)


def test_score_adds_differences_and_levels() -> None:
    memory = bytearray(0x10000)
    rules = Rules("test", rewards=(
        Reward.of(Cell.of(0xC000, "u8"), "difference", 1.0),
        Reward.of(Cell.of(0xC001, "u8"), "difference", -2.0),
        Reward.of(Cell.of(0xC002, "u8"), "level", 0.5)),
        ends=(Compare(Value.of(Cell.of(0xC003, "u8")), "!=", (0,)),
              Compare(Value.of(Cell.of(0xC000, "u8")), ">=", (9,))))
    score = Score(rules)
    memory[0xC000:0xC003] = bytes([3, 5, 0])
    score.start(memory)
    assert score.update(memory) == (0.0, False)
    memory[0xC000:0xC003] = bytes([4, 7, 6])
    assert score.update(memory) == (1 - 4 + 3, False)
    memory[0xC003] = 1
    assert score.update(memory) == (3.0, True)
    memory[0xC003], memory[0xC000] = 0, 9
    assert score.update(memory) == (5 + 3, True)


def test_observed_values_lie_between_minus_one_and_one() -> None:
    memory = bytearray(0x10000)
    rules = Rules("test", observe={"x": Watched(Cell.of(0xC000, "u8"), 10, 50),
                                   "wind": Watched(Cell.of(0xC001, "i8"), -2, 2)})
    watch, seen = Watch(rules), []
    for x, wind in ((10, -2), (20, -1), (50, 2), (9, -3), (51, 3)):
        memory[0xC000], memory[0xC001] = x, wind & 0xFF
        values = watch.observed(memory)
        assert (values.shape, values.dtype) == ((2,), np.float32)
        seen.append(values.tolist())
    assert seen == [[-1, -1], [-0.5, -0.5], [1, 1], [-1, -1], [1, 1]]


@given(st.sampled_from(["u8", "i8", "u16le", "u16be", "bcd"]), st.integers(0, 255),
       st.integers(0, 255), st.integers(-200, 200), st.integers(1, 300))
def test_what_is_worked_out_ahead_is_what_is_read(
        kind: str, first: int, second: int, low: int, span: int) -> None:
    memory = bytearray(0x10000)
    memory[0xC000:0xC002] = bytes([first, second])
    cell = Cell.of(0xC000, kind, 2 if kind == "bcd" else None)
    value = Watched(cell, low, low + span)
    assert Watch(Rules("test", observe={"x": value})).observed(memory).tolist() == [
        np.float32(min(1.0, max(-1.0, value.shown(cell.read(memory)))))]


def test_pokes_are_drawn_from_the_generator() -> None:
    rules = Rules("test", settings={"seed": Poke(Cell.of(0xC002, "u16le"), None)},
                  pokes=(Poke(Cell.of(0xC000, "u8"), 7),))
    memories = [bytearray(0x10000) for _ in range(3)]
    for memory, seed in zip(memories, (1, 1, 2), strict=True):
        rules.write(memory, np.random.default_rng(seed))
    assert memories[0] == memories[1] != memories[2]
    assert memories[2][0xC000] == 7


def test_settings_pokes_and_noops_from_options() -> None:
    rules = Rules("test", settings={"speed": Poke(Cell.of(0xC000, "u8"), 1)})
    changed = rules.with_settings("speed=0x10").with_pokes("0xC005=3 0xC006=seed").with_noops("0 9")
    assert changed.settings["speed"].value == 16
    assert [(p.cell.address, p.value) for p in changed.pokes] == [(0xC005, 3), (0xC006, None)]
    assert changed.noops == (0, 9)
    assert rules.with_settings("").with_pokes("").with_noops("") == rules


@pytest.mark.parametrize(("method", "text", "message"), [
    ("with_settings", "sped=1", "'sped' is no setting of 'test' and no option; settings: 'speed'"),
    ("with_settings", "speed", "write it like 'name=1'"),
    ("with_settings", "speed=256", "speed: 256 does not fit u8: 0 … 255, or 'seed'"),
    ("with_settings", "speed=fast", "'fast' is not an integer"),
    ("with_pokes", "0x1000=3", "0x1000 is in ROM"),
    ("with_pokes", "score=3", "'score' is not an integer"),
    ("with_noops", "3 1", "least and the most"),
    ("with_noops", "3", "least and the most"),
])
def test_bad_texts(method: str, text: str, message: str) -> None:
    rules = Rules("test", settings={"speed": Poke(Cell.of(0xC000, "u8"), 1)})
    with pytest.raises(PlantError) as error:
        getattr(rules, method)(text)
    assert message in str(error.value)


def test_a_full_rules_file(tmp_path: Path) -> None:
    rules = load_rules(write(tmp_path, """
title: TETRIS
actions: [A, LEFT, A+RIGHT, NOOP]
start: [{frames: 300}, {press: START, frames: 4}]
settings: {level: {address: 0xFFA9, type: u8, default: 9}}
pokes: [{address: 0xFF04, type: u8, value: seed}]
noops: [0, 40]
rewards: [{address: 0xC0A0, type: bcd, bytes: 3}]
ends: [{address: 0xFFE1, type: u8, op: "!=", value: 0}]
observe: {piece_x: {address: 0xC201, type: i8, low: -8, high: 15}}
"""))
    assert rules.title == "TETRIS"
    assert rules.actions == ("A", "LEFT", "A+RIGHT", "NOOP")
    assert rules.start == (Hold("NOOP", 300), Hold("START", 4))
    assert rules.settings == {"level": Poke(Cell(0xFFA9, "u8", 1), 9)}
    assert rules.pokes == (Poke(Cell(0xFF04, "u8", 1), None),)
    assert rules.noops == (0, 40)
    assert rules.rewards == (Reward.of(Cell(0xC0A0, "bcd", 3), "difference", 1.0),)
    assert rules.ends == (Compare(Value.of(Cell(0xFFE1, "u8", 1)), "!=", (0,)),)
    assert rules.observe == {"piece_x": Watched(Cell(0xC201, "i8", 1), -8, 15)}


CELL = "address: 0xC000, type: u8"


@pytest.mark.parametrize(("text", "message"), [
    ("reward: []", "reward: [] is not a known key: 'about', 'actions'"),
    ("- 1", "the file: [1] is not a mapping"),
    ("", "the file: None is not a mapping"),
    ("a: [", "is not YAML"),
    (f"rewards: [{{{CELL}, wieght: 2}}]", "rewards[0].wieght: 2 is not a known key"),
    (f"rewards: [{{{CELL}, weight: much}}]", "rewards[0].weight: 'much' is not a number"),
    (f"rewards: [{{{CELL}, take: all}}]", "rewards[0].take: 'all' is not one of 'difference'"),
    (f"rewards: {{{CELL}}}", "rewards: {"),
    (f"ends: [{{{CELL}, op: '=', value: 0}}]", "ends[0].op: '=' is not one of '!=', '<'"),
    (f"ends: [{{{CELL}, op: '==', value: 256}}]", "ends[0].value: 256 is not an integer in 0"),
    (f"ends: [{{{CELL}, op: '=='}}]", "ends[0].value: None is not an integer"),
    ("rewards: [{address: 0x10000, type: u8}]", "rewards[0].address: 65536 is not an integer in"),
    ("rewards: [{address: 0xC000, type: u32}]", "rewards[0].type: 'u32' is not one of 'bcd'"),
    ("rewards: [{address: 0xC000, type: bcd}]", "rewards[0].address: type 'bcd', bytes None"),
    ("rewards: [{type: u8}]", "rewards[0].address: None is not an integer"),
    ("pokes: [{address: 0x100, type: u8, value: 1}]", "pokes[0].address: address 0x0100 is in ROM"),
    ("pokes: [{address: 0x100, type: u8, value: seed}]", "pokes[0].address: address 0x0100"),
    ("settings: {speed: 3}", "settings.speed: 3 is not a mapping"),
    (f"settings: {{speed: {{{CELL}, default: -1}}}}", "settings.speed.default: -1 is not an int"),
    ("actions: [LEFT, RIGHT]", "actions: actions ['LEFT', 'RIGHT']: they must differ, and 'NOOP'"),
    ("actions: [A+B, B+A, NOOP]", "they must differ"),
    ("actions: [JUMP, NOOP]", "label 'JUMP'; choose from 'A', 'B'"),
    ("actions: []", "they must differ, and 'NOOP'"),
    ("actions: [1, NOOP]", "a list of texts"),
    ("noops: [3, 1]", "noops: [3, 1] is not two integers"),
    ("noops: 3", "noops: 3 is not a list"),
    ("start: [{press: A+A, frames: 1}]", "start[0].press: label 'A+A'"),
    ("start: [{press: A}]", "start[0].frames: None is not an integer in 1 … 36000"),
    ("title: 3", "title: 3 is not a text"),
    (f"observe: {{x: {{{CELL}, low: 3, high: 3}}}}", "observe.x.low: low 3 must be below high 3"),
    (f"observe: {{x: {{{CELL}, low: 3, high: 256}}}}", "observe.x.high: 256 is not an integer"),
    (f"observe: {{x: {{{CELL}}}}}", "observe.x.low: None is not an integer"),
    ("observe: [x]", "observe: ['x'] is not a mapping of names"),
])
def test_bad_rules_files(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PlantError) as error:
        load_rules(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_absent_rules_file(tmp_path: Path) -> None:
    with pytest.raises(PlantError, match="cannot be read: No such file"):
        load_rules(tmp_path / "absent.yaml")


def test_labels() -> None:
    assert pressed("NOOP") == frozenset()
    assert pressed("A+RIGHT") == {"A", "RIGHT"}
    assert str(action_space(SIX)) == "A B LEFT UP RIGHT DOWN NOOP = NOOP"
    assert action_space(SIX).noop == (6.0,)
    assert action_space(EIGHT).labels[6:] == ("START", "SELECT", "NOOP")
