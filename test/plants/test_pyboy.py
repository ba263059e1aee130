from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from plants_conformance import PlantConformance, run, same

from realtime_rl.core.errors import MissingDependencyError, PlantError
from realtime_rl.core.types import Action
from realtime_rl.plants import registry, rom_files
from realtime_rl.plants.base import Plant

pytest.importorskip("pyboy")
pytest.importorskip("cv2")


def make(seed: int = 0, **options: object) -> Plant:
    return registry.make("pyboy", options, seed)


def copy_of_catch(folder: Path, *changes: tuple[int, int]) -> Path:
    """Write catch with some bytes changed and the header's checksum made right again."""
    data = bytearray(rom_files.find("catch").data)
    for address, value in changes:
        data[address] = value
    data[0x14D] = -sum(byte + 1 for byte in data[0x134:0x14D]) & 0xFF
    path = folder / "copy.gb"
    path.write_bytes(data)
    return path


class TestCatch(PlantConformance):
    steps = 400

    def make_plant(self, seed: int) -> Plant:
        return make(seed, stochasticity="255", noops="0 40")


class TestCatchFromMemory(PlantConformance):
    steps = 400

    def make_plant(self, seed: int) -> Plant:
        return make(seed, stochasticity="255", noops="0 40", observe="memory")


class TestUnknownGame(PlantConformance):
    """A ROM without rules: no rewards, episodes are cut off."""

    steps = 60
    rom: ClassVar[Path]

    @pytest.fixture(autouse=True)
    def _rom(self, tmp_path: Path) -> None:
        type(self).rom = copy_of_catch(tmp_path)

    def make_plant(self, seed: int) -> Plant:
        return make(seed, rom=str(self.rom), episode_ticks=25, pokes="0xC002=seed 0xC004=1",
                    buttons="8")


def test_spec() -> None:
    plant = make()
    assert plant.spec.name == "pyboy:catch"
    assert plant.spec.period_ns == 16_742_706
    assert str(plant.spec.observation) == "uint8[1,84,84] 0:255"
    assert str(plant.spec.actions) == "LEFT RIGHT NOOP = NOOP"


@pytest.mark.parametrize(("buttons", "labels"), [
    ("6", "A B LEFT UP RIGHT DOWN NOOP"), ("8", "A B LEFT UP RIGHT DOWN START SELECT NOOP")])
def test_buttons(buttons: str, labels: str) -> None:
    assert str(make(buttons=buttons).spec.actions) == f"{labels} = NOOP"


def test_picture_is_black_on_white() -> None:
    plant = make()
    picture = plant.step((2.0,)).observation
    assert picture.max() == 255
    assert picture.min() < 30
    assert (picture[0, 20:60] == 255).mean() > 0.9, "the sky is empty"


def test_picture_shows_this_tick() -> None:
    """The game adds no delay: what an action does is in the very next observation."""
    one, other = make(), make()
    for plant in (one, other):
        plant.step((2.0,))
    left, right = (plant.step(action).observation
                   for plant, action in ((one, (0.0,)), (other, (1.0,))))
    assert not np.array_equal(left, right)


def test_memory_shows_the_same_tick_of_the_same_game_as_the_picture() -> None:
    picture, memory = make(4), make(4, observe="memory")
    assert str(memory.spec.observation) == "float32[5] -1:1"
    assert memory.spec.actions == picture.spec.actions
    actions: list[Action] = [(float(tick // 9 % 3),) for tick in range(300)]
    basket = []
    for action in actions:
        one, other = picture.step(action), memory.step(action)
        assert (one.reward, one.discount, one.first, one.last) == (
            other.reward, other.discount, other.first, other.last)
        if other.observation[1] < 0:  # nothing but the basket is that low
            basket.append((one.observation[0, 72] < 100).argmax() * 160 / 84)
            assert (other.observation[2] + 1) * 64 == pytest.approx(basket[-1], abs=2)
    assert max(basket) - min(basket) > 30


def test_smaller_pictures_show_the_same() -> None:
    plants = make(), make(size=42)
    assert str(plants[1].spec.observation) == "uint8[1,42,42] 0:255"
    for index in range(60):
        full, small = (plant.step((float(index % 3),)).observation for plant in plants)
        blocks = full[0].reshape(42, 2, 42, 2).mean(axis=(1, 3))
        assert abs(small[0] - blocks).max() <= 1  # both are means by area, and rounded


def test_seed_decides_the_game() -> None:
    plants = [make(seed) for seed in (1, 1, 2)]
    futures = [run(plant, [(2.0,)] * 120) for plant in plants]
    assert all(map(same, futures[0], futures[1]))
    assert not all(map(same, futures[0], futures[2]))


def test_episodes_differ_and_a_fixed_seed_repeats_them() -> None:
    def first_pictures(plant: Plant) -> list[bytes]:
        pictures = []
        for _ in range(4):
            plant.reset()
            pictures.append(plant.step((2.0,)).observation.tobytes())
        return pictures

    assert len(set(first_pictures(make(5)))) > 1
    assert len(set(first_pictures(make(5, settings="seed=77")))) == 1


def test_held_buttons_are_let_go_at_a_reset() -> None:
    held, free = make(3), make(3)
    run(held, [(0.0,)] * 5)
    run(free, [(2.0,)] * 5)
    for plant in (held, free):
        plant.reset(3)
    assert all(map(same, run(held, [(2.0,)] * 20), run(free, [(2.0,)] * 20)))


def test_rules_file_with_combinations(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("actions: [A+LEFT, B+RIGHT, NOOP]\nnoops: [3, 3]\n"
                     "rewards: [{address: 0xC011, type: u16le}]\n")
    plant = make(rules=str(rules))
    assert plant.spec.actions.labels == ("A+LEFT", "B+RIGHT", "NOOP")
    assert [t.reward for t in run(plant, [(0.0,)] * 4)] == [0, 1, 1, 1]


def test_start_state_from_a_file(tmp_path: Path) -> None:
    import pyboy

    emulator = pyboy.PyBoy(io.BytesIO(rom_files.find("catch").data), window="null",
                           sound_emulated=False, log_level="ERROR")
    emulator.tick(200, False)
    emulator.memory[0xC005] = 17
    emulator.button_press("left")
    emulator.tick(1, False)
    path = tmp_path / "start.state"
    with path.open("wb") as file:
        emulator.save_state(file)
    emulator.stop(save=False)
    rules = tmp_path / "rules.yaml"
    rules.write_text("rewards: [{address: 0xC005, type: u8, take: level},"
                     " {address: 0xC00B, type: u8, take: difference}]\n")
    plant = make(state=str(path), rules=str(rules))
    assert [t.reward for t in run(plant, [(6.0,)] * 4)] == [0, 17, 17, 17], "LEFT was let go"


@pytest.mark.parametrize(("options", "message"), [
    ({"rom": "tetris"}, "ROM 'tetris' cannot be read"),
    ({"rules": "/absent.yaml"}, "'/absent.yaml' cannot be read"),
    ({"state": "/absent.state"}, "state '/absent.state' cannot be read"),
    ({"state": __file__}, "not a PyBoy state"),
    ({"buttons": "7"}, "buttons: '7' is not one of '6', '8', 'rules'"),
    ({"rmo": "catch"}, "'rmo' is no setting"),
    ({"difficulty": "1000"}, "difficulty: 1000 does not fit u8"),
])
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(PlantError) as error:
        make(**options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_rules_without_values_to_observe_are_refused(tmp_path: Path) -> None:
    rules = tmp_path / "blind.yaml"
    rules.write_text("rewards: [{address: 0xC005, type: u8, take: level}]\n")
    with pytest.raises(PlantError, match=r"blind\.yaml' names no values to 'observe'"):
        make(rules=str(rules), observe="memory")


def test_blocks_shows_the_piece_and_the_well_from_memory() -> None:
    plant = make(rom="blocks", observe="memory", stochasticity="0")
    try:
        kinds = [plant.step((5.0,)).observation for _ in range(40)]
    finally:
        plant.close()
    assert kinds[0].shape == (7 + 4 + 3 + 240,)
    assert all(np.count_nonzero(each[:7] == 1.0) == 1 for each in kinds), "one kind at a time"
    assert np.array_equal(kinds[0][-240:], np.full(240, -1.0)), "an empty well"
    rows = [float(each[11]) for each in kinds]
    assert rows == sorted(rows)
    assert rows[-1] > rows[0], "it falls"


def test_unknown_options_name_what_there_is() -> None:
    with pytest.raises(PlantError, match=r"settings: 'difficulty', 'seed', 'stochasticity'; "
                                         r"options: 'buttons'.*'rom'"):
        make(stochastcity="3")


def test_rules_for_another_rom(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("title: TETRIS\n")
    with pytest.raises(PlantError, match=r"is for the ROM 'TETRIS'.*is 'CATCH'"):
        make(rules=str(rules))
    rules.write_text("sha256: abc\n")
    with pytest.raises(PlantError, match="SHA-256 abc"):
        make(rules=str(rules))


def test_unknown_cartridge(tmp_path: Path) -> None:
    with pytest.raises(PlantError, match=r"copy.gb' cannot be emulated"):
        make(rom=str(copy_of_catch(tmp_path, (0x147, 0xFE))))


def test_state_of_another_rom(tmp_path: Path) -> None:
    state = make().save_state()
    with pytest.raises(PlantError, match="of another ROM"):
        make(rom=str(copy_of_catch(tmp_path, (0x134, ord("K"))))).load_state(state)


@pytest.mark.parametrize("cartridge", [0x03, 0x10, 0x1B])
def test_nothing_is_written_beside_the_rom(tmp_path: Path, cartridge: int) -> None:
    plant = make(rom=str(copy_of_catch(tmp_path, (0x147, cartridge))))
    run(plant, [(6.0,)] * 3)
    plant.close()
    assert [path.name for path in tmp_path.iterdir()] == ["copy.gb"]


def test_closed_plant_says_so() -> None:
    plant = make()
    plant.close()
    with pytest.raises(PlantError, match="closed"):
        plant.step((0.0,))


@pytest.mark.parametrize("module", ["pyboy", "cv2"])
def test_missing_library(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"{module} is not installed.*\[plants\]"):
        make()
