"""The bundled game, played by scripts that read its memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from realtime_rl.plants import rom_files
from realtime_rl.plants.emulator import Emulator
from realtime_rl.plants.rules_file import load_rules

pytest.importorskip("pyboy")
pytest.importorskip("cv2")

LEFT, RIGHT, NONE = frozenset({"LEFT"}), frozenset({"RIGHT"}), frozenset[str]()


class View(NamedTuple):
    """What a player sees of the game's memory, named as in roms/catch/README.md."""

    score: int
    misses: int
    lives: int
    game_over: int
    drops: int
    basket_x: int
    basket_width: int
    apple_x: int
    apple_y: int
    wind: int
    pause: int


def view(memory: Any) -> View:
    data = [memory[0xC000 + offset] for offset in range(0x11)]
    wind = data[15] - 256 if data[15] > 127 else data[15]
    return View(data[5], *data[7:15], wind, data[16])


Player = Callable[[View], frozenset[str]]


def perfect(now: View) -> frozenset[str]:
    ahead = now.apple_x + 8 - (now.basket_x + now.basket_width // 2)
    return NONE if abs(ahead) <= 5 else LEFT if ahead < 0 else RIGHT


class Game:
    def __init__(self) -> None:
        rom = rom_files.find("catch")
        assert rom.rules is not None
        self.rules = load_rules(rom.rules)
        self.emulator = Emulator(rom)
        self.emulator.run(self.rules.start[0].frames)

    def play(self, player: Player, seed: int, settings: str = "") -> list[View]:
        """Play a whole game; return what was seen after each frame."""
        memory = self.emulator.memory
        self.emulator.hold(NONE)
        rules = self.rules.with_settings(f"seed={seed} {settings}")
        rules.write(memory, np.random.default_rng(0))
        self.emulator.run(1)
        seen = [view(memory)]
        while not seen[-1].game_over:
            self.emulator.hold(player(seen[-1]))
            self.emulator.run(1)
            seen.append(view(memory))
        return seen


@pytest.fixture(scope="module")
def game() -> Iterator[Game]:
    game = Game()
    yield game
    game.emulator.close()


def share_caught(game: Game, player: Player, games: int, settings: str = "") -> float:
    ends = [game.play(player, seed, settings)[-1] for seed in range(1, 1 + games)]
    return sum(end.score for end in ends) / sum(end.drops for end in ends)


def test_a_perfect_player_catches_nearly_all(game: Game) -> None:
    assert share_caught(game, perfect, 4) >= 0.95


@pytest.mark.parametrize("settings", ["difficulty=7", "stochasticity=255", "stochasticity=0"])
def test_it_does_so_whatever_is_set(game: Game, settings: str) -> None:
    assert share_caught(game, perfect, 2, settings) >= 0.95


def test_doing_nothing_catches_few(game: Game) -> None:
    assert share_caught(game, lambda now: NONE, 20) < 1 / 3


def test_random_buttons_catch_few(game: Game) -> None:
    random = np.random.default_rng(0)
    buttons = (LEFT, RIGHT, NONE)
    assert share_caught(game, lambda now: buttons[random.integers(3)], 20) < 1 / 3


def test_acting_late_costs(game: Game) -> None:
    def late(ticks: int) -> float:
        seen: list[View] = []

        def player(now: View) -> frozenset[str]:
            seen.append(now)
            then = seen[max(0, len(seen) - ticks)]
            return perfect(now._replace(apple_x=then.apple_x))
        return share_caught(game, player, 4)

    shares = [late(ticks) for ticks in (1, 8, 16, 40)]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] < 0.9 and shares[3] < 0.4


def test_without_wind_apples_fall_straight(game: Game) -> None:
    for before, after in itertools.pairwise(game.play(perfect, 3, "stochasticity=0")):
        assert after.wind == 0
        if before.pause == after.pause == 0 and after.apple_y > before.apple_y:
            assert (after.apple_x, after.apple_y) == (before.apple_x, before.apple_y + 3)


def test_wind_stays_in_its_range_down_to_the_rim(game: Game) -> None:
    seen = game.play(perfect, 3, "stochasticity=255")
    assert {now.wind for now in seen} == {-2, -1, 0, 1, 2}
    turns = [after.apple_y for before, after in itertools.pairwise(seen)
             if after.pause == 0 and after.wind != before.wind]
    assert max(turns) > 90
    assert all(0 <= now.apple_x <= 144 for now in seen)


def test_same_seed_same_game(game: Game) -> None:
    assert game.play(perfect, 9) == game.play(perfect, 9)
    assert game.play(perfect, 9) != game.play(perfect, 10)


def test_columns_do_not_depend_on_wind_or_player(game: Game) -> None:
    def columns(player: Player, settings: str) -> list[int]:
        seen = game.play(player, 11, settings)
        return [now.apple_x for now in seen if now.apple_y == 16]

    calm = columns(perfect, "stochasticity=0")
    assert len(calm) == 32
    assert columns(perfect, "stochasticity=255") == calm
    caught = columns(lambda now: RIGHT, "stochasticity=0")
    assert caught == calm[:len(caught)]


def test_columns_cover_the_screen(game: Game) -> None:
    columns = [now.apple_x for seed in range(1, 13) for now in game.play(perfect, seed)
               if now.apple_y == 16]
    quarters = np.histogram(columns, bins=4, range=(0, 144))[0] / len(columns)
    assert min(columns) < 8 and max(columns) > 136
    assert quarters.min() > 0.18


def test_lives_drops_and_the_end(game: Game) -> None:
    lost = game.play(lambda now: NONE, 4)
    won = game.play(perfect, 4)
    assert (lost[0].lives, lost[0].score, lost[0].drops) == (5, 0, 0)
    assert (lost[-1].misses, lost[-1].lives) == (5, 0)
    assert lost[-1].drops == lost[-1].score + lost[-1].misses
    assert won[-1].drops == 32 and won[-1].lives == 5 - won[-1].misses
    assert all(now.drops == now.score + now.misses for now in won)


def test_difficulty_speeds_everything_up(game: Game) -> None:
    first = [game.play(lambda now: LEFT, 5, f"difficulty={level} stochasticity=0")
             for level in (0, 7)]
    assert [seen[0].basket_width for seen in first] == [32, 18]
    assert [seen[0].basket_x - seen[1].basket_x for seen in first] == [4, 11]
    assert [seen[2].apple_y - seen[0].apple_y for seen in first] == [6, 13]


def test_buttons_that_do_nothing(game: Game) -> None:
    odd = frozenset({"A", "B", "UP", "DOWN", "START", "SELECT"})
    idle = game.play(lambda now: NONE, 6)
    assert game.play(lambda now: odd, 6) == idle
    assert game.play(lambda now: LEFT | RIGHT, 6) == idle
