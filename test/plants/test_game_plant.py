"""What rules add to the plant of a game: frames a tick, crop, starts, states, counters, remarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rehearsed
from plants_conformance import PlantConformance, run

from realtime_rl.core.errors import PlantError
from realtime_rl.plants import registry, rom_files
from realtime_rl.plants.base import Plant, remarks_of
from realtime_rl.plants.emulator import Emulator
from realtime_rl.plants.pyboy_plant import PyBoyPlant

pytest.importorskip("pyboy")
pytest.importorskip("cv2")
FRAMES = "{address: 0xC011, type: u16le}"


def make(folder: Path, rules: str = "", seed: int = 0, **options: object) -> PyBoyPlant:
    if rules:
        (folder / "rules.yaml").write_text(rules)
        options["rules"] = str(folder / "rules.yaml")
    plant = registry.make("pyboy", options, seed)
    assert isinstance(plant, PyBoyPlant)
    return plant


def saved(folder: Path, rom: str, frames: int = 200) -> Path:
    emulator = Emulator(rom_files.find(rom))
    emulator.run(frames)
    path = folder / f"{Path(rom).stem}.state"
    path.write_bytes(emulator.save())
    emulator.close()
    return path


class TestBattles(PlantConformance):
    """Counters are part of a state, and a state of the table is drawn from the seed."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        for script in ("won", "lost", "draw"):
            rehearsed.state(tmp_path, "red", script)

    def make_plant(self, seed: int) -> Plant:
        return registry.make("pyboy", {
            "rom": str(rehearsed.rom(self.folder, "red")), "rules": "pokemon_battle",
            "state": str(self.folder), "noops": "0 4"}, seed)


def test_frames_a_tick_add_their_rewards_up(tmp_path: Path) -> None:
    rules = f"frame_skip: 4\nrewards: [{FRAMES}]\nends: [{{{FRAMES[1:-1]}, op: '>', value: 130}}]"
    plant = make(tmp_path, rules, rom="catch")
    assert plant.spec.period_ns == round(4e9 / 59.7275)
    begun = [plant.step((6.0,)) for _ in range(4)]
    assert [step.reward for step in begun] == [0, 4, 4, 4]
    assert make(tmp_path, rules, rom="catch", frame_skip=2).spec.period_ns == round(2e9 / 59.7275)
    steps = begun
    while not steps[-1].last:
        steps.append(plant.step((6.0,)))
    assert steps[-1].reward < 5, "what comes after the end does not count"


def test_episodes_are_cut_off_as_the_rules_say(tmp_path: Path) -> None:
    for options, length in (({}, 3), ({"episode_ticks": 5}, 5)):
        plant = make(tmp_path, "episode_ticks: 3", rom="catch", **options)
        steps = run(plant, [(6.0,)] * (length + 1))
        assert [step.last for step in steps] == [False] * length + [True]
        assert steps[-1].discount == 1


def test_a_crop_shows_a_part_of_the_screen(tmp_path: Path) -> None:
    whole = make(tmp_path, "title: CATCH", rom="catch", size=144).step((6.0,)).observation
    part = make(tmp_path, "crop: [0, 72, 160, 72]", rom="catch", size=72).step((6.0,)).observation
    assert part.shape == (1, 72, 72)
    assert abs(float(part.mean()) - float(whole[0, 72:].mean())) < 2
    assert abs(float(part.mean()) - float(whole.mean())) > 2


def test_what_is_shown_outside_its_range_is_said(tmp_path: Path) -> None:
    plant = make(tmp_path, f"observe: {{frames: {FRAMES[:-1]}, low: 0, high: 40}}}}", rom="catch",
                 observe="memory")
    assert plant.step((6.0,)).observation.tolist() == [1.0]
    assert remarks_of(plant) == [
        f"observe.frames: {plant.memory[0xC011]} was outside 0 … 40, and shown as if it were at "
        "the limit"]


def test_a_wait_is_drawn_for_each_episode(tmp_path: Path) -> None:
    rules = f"start: [{{frames: 80}}, {{wait: [0, 50]}}, {{frames: 2}}]\nobserve: {{frames: " \
            f"{FRAMES[:-1]}, low: 0, high: 1000}}}}"

    def begins(seed: int) -> list[float]:
        plant, found = make(tmp_path, rules, seed, rom="catch", observe="memory"), []
        for _ in range(6):
            plant.reset()
            found.append(float(plant.step((6.0,)).observation[0]))
        return found

    assert len(set(begins(1))) > 2
    assert begins(1) == begins(1) != begins(2)


def test_a_state_of_another_game_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlantError, match=r"blocks.state' is not of 'CATCH', or is damaged"):
        make(tmp_path, rom="catch", state=str(saved(tmp_path, "blocks")))
    large = saved(tmp_path, str(rehearsed.rom(tmp_path, "red")))
    with pytest.raises(PlantError, match=r"red.state': not a PyBoy state of this ROM: it has \d+ "
                                         "bytes more"):
        make(tmp_path, rom="catch", state=str(large))
    with pytest.raises(PlantError, match=r"catch.state': not a PyBoy state of this ROM"):
        make(tmp_path, rom=str(rehearsed.rom(tmp_path, "red")),
             state=str(saved(tmp_path, "catch")))


def test_a_state_that_a_plant_saved_names_its_rom(tmp_path: Path) -> None:
    plant = make(tmp_path, rom="catch")
    run(plant, [(2.0,)] * 30)
    path = tmp_path / "own.state"
    path.write_bytes(plant.save_state())
    frames = plant.memory[0xC011]
    again = make(tmp_path, f"rewards: [{FRAMES}]", rom="catch", state=str(path))
    again.step((6.0,))
    assert again.memory[0xC011] == frames + 2
    with pytest.raises(PlantError, match=r"own.state': it is of another ROM than 'BLOCKS'"):
        make(tmp_path, rom="blocks", state=str(path))


def test_a_folder_without_states_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlantError, match=r"has no file that ends in '.state'"):
        make(tmp_path, rom="catch", state=str(tmp_path))


def test_a_game_that_is_not_where_episodes_start_is_an_error(tmp_path: Path) -> None:
    plant = make(tmp_path, f"ready: {{{FRAMES[1:-1]}, op: '>', value: 60000}}", rom="catch")
    with pytest.raises(PlantError, match="the game did not start: at the first tick 'ready'"):
        plant.step((6.0,))


def test_counters_begin_anew_with_each_episode(tmp_path: Path) -> None:
    plant = make(tmp_path, f"episode_ticks: 3\ncounters: {{frames: {FRAMES}}}", rom="catch")
    assert plant.spec.counters == ("frames",)
    counted = [step.counters for step in run(plant, [(6.0,)] * 8)]
    assert counted == [(0,), (1,), (2,), (3,)] * 2
    assert np.isfinite(counted).all()
