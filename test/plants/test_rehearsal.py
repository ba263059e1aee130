"""The rules of games that are not ours, played through on a ROM of ours that does as they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import rehearsed
import yaml
from changed_rules import SAME, changed

from realtime_rl.core.errors import PlantError
from realtime_rl.plants import game_rules, registry
from realtime_rl.plants.pyboy_plant import PyBoyPlant
from realtime_rl.plants.rule_conditions import now_holds
from realtime_rl.plants.rule_score import Score
from realtime_rl.plants.rules_file import load_rules

pytest.importorskip("pyboy")
pytest.importorskip("cv2")


@dataclass(frozen=True)
class Played:
    """What the rules make of a script."""

    rewards: Mapping[int, float]
    """By tick, those that are not 0."""
    end: int
    """The tick of the end."""
    counters: Mapping[str, float]
    """At the end."""
    counted: Mapping[str, list[int]] = field(default_factory=dict)
    """The ticks at which a counter rose, for each rise."""


BATTLES = {
    "won": Played({19: 1, 29: -1, 39: -1, 59: -1, 69: 1}, 69,
                  {"battles_lost": 0, "battles_won": 1, "own_fainted": 3, "theirs_fainted": 3},
                  {"battles_won": [69], "own_fainted": [29, 39, 59],
                   "theirs_fainted": [19, 39, 69]}),
    "lost": Played({9: -1}, 9, {"battles_lost": 1, "battles_won": 0, "own_fainted": 1,
                                "theirs_fainted": 0}),
    "draw": Played({9: -1}, 9, {"battles_lost": 1, "battles_won": 0, "own_fainted": 1,
                                "theirs_fainted": 1}),
    "six_lost": Played({9: -1, 19: -1, 49: -1}, 49,
                       {"battles_lost": 1, "battles_won": 0, "own_fainted": 6,
                        "theirs_fainted": 2}, {"own_fainted": [9, 19, 49]}),
    "six_won": Played({9: 1, 29: 1}, 29, {"battles_lost": 0, "battles_won": 1, "own_fainted": 0,
                                          "theirs_fainted": 6}, {"battles_won": [29]})}
CAUGHT = {
    "new_kind": Played({19: 1}, 44, {"caught": 1, "missed": 0}, {"caught": [19]}),
    "known_kind": Played({19: 1}, 29, {"caught": 1, "missed": 0}, {"caught": [19]}),
    "escaped": Played({19: -1}, 19, {"caught": 0, "missed": 1}),
    "beaten": Played({9: -1}, 9, {"caught": 0, "missed": 1}),
    "at_once": Played({9: 1}, 9, {"caught": 1, "missed": 0})}
FALLING = {"falling": Played({60: 40, 70: 100, 90: 9860}, 110, {"points": 10000, "levels": 2},
                             {"points": [60, 70, 90], "levels": [80, 100]})}
GAMES = {"pokemon_battle": (("red", "blue"), BATTLES), "pokemon_catch": (("red", "blue"), CAUGHT),
         "pokemon_yellow_battle": (("yellow",), BATTLES),
         "pokemon_yellow_catch": (("yellow",), CAUGHT),
         "tetris": (("tetris", "tetris_old"), FALLING)}
CASES = [(rules, game, script) for rules, (games, scripts) in GAMES.items() for game in games
         for script in scripts]


def test_every_game_that_is_known_is_tried() -> None:
    assert game_rules.names() == sorted(GAMES)
    for name, (games, _) in GAMES.items():
        known = [(rom.title, rom.checksum) for rom in game_rules.load(name).roms]
        assert known == [(rehearsed.HEADERS[game].title,
                          -sum(b + 1 for b in rehearsed.HEADERS[game].checked) & 0xFF)
                         for game in games]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsed")


def make(folder: Path, rules: str, game: str, script: str, **options: object) -> PyBoyPlant:
    if script != "falling":
        options["state"] = str(rehearsed.state(folder, game, script))
    plant = registry.make("pyboy", {"rom": str(rehearsed.rom(folder, game)), "rules": rules,
                                    "noops": "0 0", **options}, 0)
    assert isinstance(plant, PyBoyPlant)
    return plant


@pytest.mark.parametrize(("rules", "game", "script"), CASES)
def test_each_rule_at_its_tick(folder: Path, rules: str, game: str, script: str) -> None:
    wanted, plant = GAMES[rules][1][script], make(folder, rules, game, script)
    begin = rehearsed_begin(plant) if script == "falling" else 0
    for episode in range(2):
        first = plant.step((6.0,))
        assert (first.first, first.reward) == (True, 0.0), episode
        assert first.counters == (0.0,) * len(wanted.counters)
        rewards, tick, before = {}, 0, first.counters
        counted: dict[str, list[int]] = {name: [] for name in wanted.counted}
        while True:
            tick += 1
            step = plant.step((6.0,))
            if step.reward:
                rewards[tick + begin] = step.reward
            for name, now, then in zip(plant.spec.counters, step.counters, before, strict=True):
                if name in counted and now != then:
                    counted[name] += [tick + begin]
            before = step.counters
            if step.last:
                break
            assert tick < 300 and step.discount == 1
        assert step.discount == 0
        assert (rewards, tick + begin) == (wanted.rewards, wanted.end)
        assert counted == wanted.counted
        assert dict(zip(plant.spec.counters, step.counters, strict=True)) == wanted.counters
    plant.close()


def rehearsed_begin(plant: PyBoyPlant) -> int:
    """Return the tick of the script at which an episode's first tick is."""
    plant.reset(0)
    plant.step((6.0,))
    waited = 0
    while plant.memory[0xC0A0] == 0:
        plant.step((6.0,))
        waited += 1
    plant.reset(0)
    return 60 - waited


def test_a_game_that_does_not_start_is_refused(tmp_path: Path, folder: Path) -> None:
    text = (game_rules._FOLDER / "tetris.yaml").read_text()
    path = tmp_path / "slow.yaml"
    path.write_text(text.replace("frames: 480", "frames: 300").replace("3600", "40"))
    with pytest.raises(PlantError, match=r"start\[1\]: the game did not start: 0xffe1 == 0 did "
                                         "not come to hold within 40 frames of pressing START"):
        registry.make("pyboy", {"rom": str(rehearsed.rom(folder, "tetris")),
                                "rules": str(path)}, 0)


def test_another_game_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(PlantError, match=r"is for Pokémon Yellow \(USA, Europe\) \(title 'POKEMON "
                       r"YELLOW', header checksum 0x97\); '.*red.gb' has the title 'POKEMON RED'"):
        make(folder, "pokemon_yellow_catch", "red", "escaped")


def test_without_a_state_it_is_said_how_to_make_one(folder: Path) -> None:
    with pytest.raises(PlantError, match=r"begins in states that you saved.*the key Z"):
        registry.make("pyboy", {"rom": str(rehearsed.rom(folder, "red")),
                                "rules": "pokemon_battle"}, 0)


def test_a_state_in_which_there_is_no_battle_is_refused(folder: Path) -> None:
    with pytest.raises(PlantError, match=r"red-escaped.state': .*the game did not start: .*'ready' "
                                         r"does not hold: all of \(any of 6 from 0xd16c > 0"):
        make(folder, "pokemon_battle", "red", "escaped")


def test_without_rules_those_that_fit_are_named(folder: Path) -> None:
    plant = registry.make("pyboy", {"rom": str(rehearsed.rom(folder, "red"))}, 0)
    assert "rules=pokemon_battle, rules=pokemon_catch" in plant.spec.warning
    plant.close()


def test_one_of_the_states_is_drawn_for_each_episode(folder: Path, tmp_path: Path) -> None:
    for script in ("lost", "won", "draw"):
        source = rehearsed.state(folder, "red", script)
        (tmp_path / source.name).write_bytes(source.read_bytes())
    options = {"rom": str(rehearsed.rom(folder, "red")), "rules": "pokemon_battle",
               "state": str(tmp_path)}

    def ends(seed: int) -> list[tuple[float, ...]]:
        plant, found = registry.make("pyboy", options, seed), []
        while len(found) < 12:
            step = plant.step((6.0,))
            if step.last:
                found.append(step.counters)
        plant.close()
        return found

    assert len(set(ends(0))) == 3
    assert ends(0) == ends(0) != ends(1)


# Every rule that the files have is changed; each change makes another sequence of the same scripts.

def outcome(path: Path, game: str, scripts: Mapping[str, Played]) -> list[Any]:
    """Return what rules make of the memory of some scripts."""
    rules, found = load_rules(path), []
    for script in scripts:
        seen = rehearsed_fall() if script == "falling" else rehearsed.trace(game, script, 120)
        if rules.ready is not None:
            found.append(now_holds(rules.ready)(memoryview(seen[0])))
        score = Score(rules)
        score.start(memoryview(seen[0]))
        for memory in seen[1:]:
            found.append((score.update(memoryview(memory)), score.counters))
            if found[-1][0][1]:
                break
    # what must not hold for an episode to begin
    if rules.ready is not None:
        for script in rehearsed.SCRIPTS[1:]:
            found.append(now_holds(rules.ready)(memoryview(rehearsed.trace(game, script, 120)[0])))
        found += [now_holds(rules.ready)(memory) for memory in edges(game)]
    return found


def edges(game: str) -> Iterator[bytearray]:
    """Yield memory in which one side alone stands, one beyond the six, a battle was lost, …"""
    shift = game == "yellow"
    for own, theirs, at, in_battle, over in (
            (1, 0, 221, 1, 0), (0, 1, 221, 0, 1), (1, 1, 220, 255, 2), (1, 1, 221, 0, 0),
            (1, 1, 264, 0, 0), (1, 0, 264, 0, 0), (0, 1, 264, 0, 0)):
        memory = bytearray(0x10000)
        memory[0xD16C - shift + at], memory[0xD8A5 - shift + at] = own, theirs
        if at == 264:  # one side as it should be
            memory[0xD16C - shift + 1] = memory[0xD8A5 - shift + 1] = 0
            memory[(0xD8A5 if own else 0xD16C) - shift + 1] = 1
        memory[0xD057 - shift], memory[0xFFE1] = in_battle, over
        yield memory


def rehearsed_fall() -> list[bytes]:
    """Memory of a game that falls, from its first tick on, at levels and points that differ."""
    memory, found = bytearray(0x10000), []
    for score, level, over in (((0, 0, 0), 0, 0), ((0x40, 0, 0), 0, 0), ((0x40, 1, 0), 1, 0),
                               ((0, 0, 1), 1, 0), ((0x10, 0, 1), 2, 0), ((0, 0, 0), 0, 0),
                               ((0, 0, 0), 0, 1)):
        memory[0xC0A0:0xC0A3] = bytes(score)
        memory[0xFFA9], memory[0xFFE1] = level, over
        found.append(bytes(memory))
    return found


@pytest.mark.parametrize("name", sorted(GAMES))
def test_every_change_of_a_rule_is_noticed(tmp_path: Path, name: str) -> None:
    games, scripts = GAMES[name]
    path = tmp_path / "changed.yaml"
    content = yaml.safe_load((game_rules._FOLDER / f"{name}.yaml").read_text())
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    truth, tried, missed = outcome(path, games[0], scripts), 0, []
    for place, other in changed(content):
        path.write_text(yaml.safe_dump(other, sort_keys=False))
        tried += 1
        try:
            if outcome(path, games[0], scripts) == truth and not (
                    place[-2:] in SAME or place[-3:] in SAME):
                missed.append(place)
        except PlantError:
            continue  # refused when it is read
    assert tried > 10
    assert missed == []
