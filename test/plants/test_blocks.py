"""The bundled puzzle, played by scripts that read and write its memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from plants_conformance import PlantConformance

from realtime_rl.plants import registry, rom_files
from realtime_rl.plants.base import Plant
from realtime_rl.plants.emulator import Emulator
from realtime_rl.plants.rules_file import load_rules

pytest.importorskip("pyboy")
pytest.importorskip("cv2")

NONE = frozenset[str]()
ROWS, COLUMNS, WALL = 15, 10, 8
PIECES, SQUARES, WELL = 0xC018, 0xC01A, 0xC300
KIND, TURN = 0xC00B, 0xC00D
BAR, SQUARE, TEE = 0, 1, 2


class View(NamedTuple):
    """What a player sees of the game's memory, named as in roms/blocks/README.md."""

    score: int
    lines: int
    game_over: int
    level: int
    kind: int
    next_kind: int
    turn: int
    place: int
    wait: int
    pause: int
    pieces: int
    squares: tuple[tuple[int, int], ...]
    """(row, column) each."""

    @property
    def rows(self) -> list[int]:
        return sorted(row for row, _ in self.squares)

    @property
    def columns(self) -> list[int]:
        return sorted(column for _, column in self.squares)


def view(memory: Any) -> View:
    data = [memory[0xC000 + offset] for offset in range(0x1E)]
    return View(data[5] | data[6] << 8, data[7] | data[8] << 8, *data[9:17],
                data[0x18] | data[0x19] << 8,
                tuple(divmod(square, 16) for square in data[0x1A:]))


Player = Callable[[View], frozenset[str]]


def press(*buttons: str) -> Player:
    return lambda now: frozenset(buttons)


def idle(now: View) -> frozenset[str]:
    return NONE


class Game:
    def __init__(self) -> None:
        rom = rom_files.find("blocks")
        assert rom.rules is not None
        self.rules = load_rules(rom.rules)
        self.emulator = Emulator(rom)
        self.memory = self.emulator.memory
        self.emulator.run(self.rules.start[0].frames)

    def start(self, settings: str = "seed=1 stochasticity=0") -> View:
        """Start a game; return what is seen when the first piece appears."""
        self.emulator.hold(NONE)
        self.rules.with_settings(settings).write(self.memory, np.random.default_rng(0))
        self.emulator.run(1)
        assert view(self.memory).pause == 9
        return self.frames(9)[-1]

    def frames(self, count: int, player: Player = idle) -> list[View]:
        """Play on; return what was seen after each frame."""
        seen = []
        for _ in range(count):
            self.emulator.hold(player(view(self.memory)))
            self.emulator.run(1)
            seen.append(view(self.memory))
        return seen

    def play(self, player: Player, settings: str) -> list[View]:
        """Play a whole game."""
        seen = [self.start(settings)]
        while not seen[-1].game_over:
            seen += self.frames(1, player)
        return seen

    def drop(self) -> View:
        """Let the piece fall and come to rest; return what is seen then."""
        pieces = view(self.memory).pieces
        while view(self.memory).pieces == pieces:
            self.frames(1, press("DOWN"))
        return view(self.memory)

    def become(self, kind: int, turn: int = 0) -> None:
        """Make the falling piece another one."""
        self.memory[KIND], self.memory[TURN] = kind, turn

    @property
    def well(self) -> NDArray[np.int_]:
        """Rows x columns, walls and floor included."""
        data = [self.memory[WELL + index] for index in range(256)]
        return np.array(data).reshape(16, 16)

    def fill(self, row: int, but: tuple[int, ...] = ()) -> None:
        """Fill a row of the well but for some columns."""
        for column in range(COLUMNS):
            self.memory[WELL + 16 * row + column] = 0 if column in but else 1


@pytest.fixture(scope="module")
def game() -> Iterator[Game]:
    game = Game()
    yield game
    game.emulator.close()


def random_player(seed: int) -> Player:
    random = np.random.default_rng(seed)
    buttons = [*map(frozenset, (["A"], ["B"], ["LEFT"], ["RIGHT"], ["DOWN"])), NONE]
    return lambda now: buttons[random.integers(6)]


class TestBlocks(PlantConformance):
    """At the highest speed, so that games end soon."""

    steps = 700

    def make_plant(self, seed: int) -> Plant:
        return registry.make("pyboy", {"rom": "blocks", "speed": 15, "stochasticity": 255}, seed)


def test_spec_and_reward() -> None:
    plant = registry.make("pyboy", {"rom": "blocks", "speed": 15}, 0)
    assert plant.spec.name == "pyboy:blocks"
    assert str(plant.spec.actions) == "A B LEFT RIGHT DOWN NOOP = NOOP"
    transitions = [plant.step((5.0,)) for _ in range(600)]
    last = next(index for index, transition in enumerate(transitions) if transition.last)
    rewards = [transition.reward for transition in transitions[:last + 1]]
    assert set(rewards) == {0.0, 1.0} and sum(rewards) > 4, "one a piece, nothing else"
    assert transitions[last].discount == 0.0 and transitions[last + 1].first
    plant.close()


def test_picture_shows_this_tick() -> None:
    """The game adds no delay: what an action does is in the very next observation."""
    plants = [registry.make("pyboy", {"rom": "blocks", "stochasticity": 0}, 0) for _ in range(2)]
    for plant in plants:
        for _ in range(12):
            plant.step((5.0,))
    moved, still = (plant.step(action).observation
                    for plant, action in zip(plants, [(2.0,), (5.0,)], strict=True))
    assert not np.array_equal(moved, still)


def test_a_piece_appears_at_the_top_and_falls(game: Game) -> None:
    now = game.start("seed=3 stochasticity=0")
    assert (now.score, now.lines, now.level, now.pieces, now.pause) == (0, 0, 0, 0, 0)
    assert now.rows[0] == 1 and now.columns[0] in (3, 4)
    seen = game.frames(30)
    assert seen[28].squares == now.squares
    assert seen[29].rows == [row + 1 for row in now.rows]


def test_random_play_ends_and_stays_inside(game: Game) -> None:
    for seed in range(1, 5):
        seen = game.play(random_player(seed), f"seed={seed} speed=13 stochasticity=255")
        for now in seen:
            assert 0 <= min(now.rows) and max(now.rows) < ROWS
            assert 0 <= min(now.columns) and max(now.columns) < COLUMNS
        assert seen[-1].pieces >= 4
        well = game.well
        assert (well[:, COLUMNS:] == WALL).all() and (well[ROWS] == WALL).all()
        assert well[:ROWS, :COLUMNS].max() <= 7


def test_squares_are_neither_lost_nor_made(game: Game) -> None:
    game.start("seed=5 speed=15 stochasticity=255")
    for now in game.frames(2500, random_player(5)):
        if now.game_over:
            break
    taken = np.count_nonzero(game.well[:ROWS, :COLUMNS])
    assert taken == 4 * now.pieces - COLUMNS * now.lines


def test_same_seed_same_game(game: Game) -> None:
    settings = "speed=14 stochasticity=255"
    one = game.play(random_player(1), f"seed=9 {settings}")
    assert game.play(random_player(1), f"seed=9 {settings}") == one
    assert game.play(random_player(1), f"seed=10 {settings}") != one


def test_pieces_do_not_depend_on_gusts_or_player(game: Game) -> None:
    def kinds(player: Player, settings: str) -> list[int]:
        seen = game.play(player, f"seed=11 speed=15 {settings}")
        return [seen[0].kind, *(after.kind for before, after in itertools.pairwise(seen)
                                if before.pause and not after.pause)]

    one, other = kinds(idle, "stochasticity=0"), kinds(random_player(2), "stochasticity=255")
    count = min(len(one), len(other))
    assert count > 4 and one[:count] == other[:count]


def test_all_pieces_come_equally_often(game: Game) -> None:
    pieces = [game.start(f"seed={seed * 211}") for seed in range(1, 301)]
    counts = np.bincount([kind for now in pieces for kind in (now.kind, now.next_kind)])
    assert len(counts) == 7 and counts.min() > 55 and counts.max() < 120


@pytest.mark.parametrize(("button", "step"), [("LEFT", -1), ("RIGHT", 1)])
def test_moving(game: Game, button: str, step: int) -> None:
    game.start()
    game.become(SQUARE)
    columns = [now.columns[0] for now in game.frames(14, press(button))]
    assert columns == [4 + step] * 6 + [4 + 2 * step] * 6 + [4 + 3 * step] * 2
    at_wall = game.frames(60, press(button))[-1]
    assert at_wall.columns[0] == 0 or at_wall.columns[-1] == COLUMNS - 1


@pytest.mark.parametrize(("button", "turns"), [("A", [1, 2, 3, 0, 1]), ("B", [3, 2, 1, 0, 3])])
def test_turning(game: Game, button: str, turns: list[int]) -> None:
    now = game.start()
    game.become(TEE)
    seen = game.frames(80, press(button))
    assert [now.turn for now in seen[::16]] == turns
    assert [now.turn for now in seen[15::16]] == turns
    assert len({now.squares for now in seen if now.place == seen[0].place}) >= 2
    assert now.place == seen[0].place


def test_a_turn_beside_a_wall_moves_aside(game: Game) -> None:
    game.start()
    game.become(TEE, 3)
    game.frames(40, press("LEFT"))
    before, after = game.frames(1)[-1], game.frames(1, press("A"))[-1]
    assert (before.columns[0], before.turn) == (0, 3)
    assert (after.columns, after.turn) == ([0, 1, 1, 2], 0)


def test_a_piece_without_room_does_not_turn(game: Game) -> None:
    game.start()
    game.become(BAR, 1)
    for row in range(3, ROWS):
        game.fill(row, but=(4,))
    game.frames(70)
    assert game.frames(1, press("A"))[-1].turn == 1


def test_buttons_that_do_nothing(game: Game) -> None:
    for buttons in (("LEFT", "RIGHT"), ("A", "B"), ("UP", "SELECT", "START")):
        game.start("seed=6 stochasticity=0")
        still = game.frames(100)
        game.start("seed=6 stochasticity=0")
        assert game.frames(100, press(*buttons)) == still


def test_soft_drop_falls_every_second_frame(game: Game) -> None:
    first = game.start()
    seen = game.frames(8, press("DOWN"))
    assert [now.rows[0] - first.rows[0] for now in seen] == [0, 1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize(("speed", "level", "frames"), [
    (0, 0, 30), (8, 8, 14), (14, 14, 3), (15, 15, 2), (255, 15, 2)])
def test_speed(game: Game, speed: int, level: int, frames: int) -> None:
    now = game.start(f"seed=1 stochasticity=0 speed={speed}")
    assert (now.level, now.wait) == (level, frames)


@pytest.mark.parametrize(("rows", "points"), [(1, 10), (2, 30), (3, 60), (4, 100)])
def test_full_rows_vanish_and_score(game: Game, rows: int, points: int) -> None:
    """A bar on end goes down a shaft of some rows; what stands out of it falls with the rest."""
    game.start()
    game.become(BAR, 1)
    for row in range(ROWS - rows, ROWS):
        game.fill(row, but=(4,))
    marked = ROWS - 1 - rows
    game.memory[WELL + 16 * marked] = 3
    now = game.drop()
    assert (now.score, now.lines, now.pieces, now.pause) == (1 + points, rows, 1, 9)
    left = game.well[:ROWS, :COLUMNS]
    assert left[ROWS - 1, 0] == 3, "what was above came down"
    assert np.count_nonzero(left) == 1 + 4 - rows
    assert np.count_nonzero(left[:, 4]) == 4 - rows
    assert game.frames(8)[-1].pause == 1 and game.frames(1)[-1].pause == 0


def test_rows_that_are_not_full_stay(game: Game) -> None:
    game.start()
    game.become(BAR)
    game.fill(ROWS - 1, but=(0,))
    game.fill(ROWS - 2, but=(3, 4, 5, 6))
    game.fill(ROWS - 3, but=(3, 4, 5, 6, 9))
    now = game.drop()
    assert (now.lines, now.score) == (1, 11)
    well = game.well[:ROWS, :COLUMNS]
    assert np.flatnonzero(well[ROWS - 1] == 0).tolist() == [0]
    assert np.flatnonzero(well[ROWS - 2] == 0).tolist() == [3, 4, 5, 6, 9]
    assert not well[ROWS - 3].any()


def test_the_level_rises_every_ten_rows(game: Game) -> None:
    game.start("seed=1 stochasticity=0 speed=13")
    levels = []
    for _ in range(8):
        for row in range(ROWS - 4, ROWS):
            game.fill(row, but=(4,))
        game.become(BAR, 1)
        game.drop()
        levels.append(game.frames(9)[-1].level)
    assert levels == [13, 13, 14, 14, 15, 15, 15, 15], "after 12, 20 and 32 rows; 15 at most"


def test_the_picture_follows_the_well(game: Game) -> None:
    game.start()
    game.frames(8)
    empty = game.emulator.draw()[0]
    game.fill(ROWS - 1)
    game.frames(7)
    filled = game.emulator.draw()[0]
    differ = np.argwhere(np.abs(filled.astype(int) - empty) > 60)
    assert differ[:, 0].min() >= 128 * 84 // 144 and differ[:, 0].max() <= 136 * 84 // 144
    assert differ[:, 1].min() >= 40 * 84 // 160 and differ[:, 1].max() <= 120 * 84 // 160


def test_gusts_come_as_often_as_it_says(game: Game) -> None:
    pushes = {}
    for stochasticity in (0, 64, 255):
        pushes[stochasticity] = 0
        for seed in range(1, 13):
            game.start(f"seed={seed} stochasticity={stochasticity}")
            game.become(SQUARE)
            pushes[stochasticity] += sum(
                before.place % 16 != after.place % 16
                for before, after in itertools.pairwise(game.frames(380)))
    assert pushes[0] == 0
    assert pushes[64] == pytest.approx(12 * 380 / 128, rel=0.5)
    assert pushes[255] == pytest.approx(12 * 380 / 32, rel=0.3)


def test_gusts_push_both_ways(game: Game) -> None:
    sides = [after.place % 16 - before.place % 16 for seed in range(1, 9)
             for before, after in itertools.pairwise(
                 [game.start(f"seed={seed} stochasticity=255"), *game.frames(300)])]
    assert sides.count(1) > 20 and sides.count(-1) > 20


def test_the_score_does_not_wrap(game: Game) -> None:
    game.start()
    game.memory[0xC005] = game.memory[0xC006] = 0xFF
    assert game.drop().score == 0xFFFF


def test_start_begins_a_new_game_when_one_is_over(game: Game) -> None:
    game.play(press("DOWN"), "seed=8 speed=15 stochasticity=0")
    assert game.frames(30)[-1].game_over
    now = game.frames(10, press("START"))[-1]
    assert (now.game_over, now.score, now.pause) == (0, 0, 0)
    assert not game.well[:ROWS, :COLUMNS].any()
