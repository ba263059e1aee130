"""What a plant shows and takes, in words."""

from realtime_rl.core.observations import ObservationParts, ObservationSpec
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.plants.shown import shown

CHOICES = ActionSpace(("LEFT", "STAY"), (1.0,))


def test_each_part_of_an_observation_has_a_line() -> None:
    seen = ObservationParts((
        ObservationSpec((3, 96, 96), "uint8", 0, 255, name="front"),
        ObservationSpec((2,), "float32", -3.2, 3.2, name="arm", elements=("shoulder", "elbow"))))
    drive = ActionSpace(("vx", "wz"), (0.0, 0.1), (-0.5, -1.0), (0.5, 1.0))
    assert shown(PlantSpec("rover", 50_000_000, seen, drive)).splitlines() == [
        "  a tick every 50 ms: 20.00 ticks a second",
        "  observation front: uint8[3,96,96], 0 to 255, a picture (channels, height, width)",
        "  observation arm: float32[2], -3.2 to 3.2: shoulder, elbow",
        "  actions: 2 value(s), from low to high: vx -0.5 to 0.5, wz -1 to 1",
        "  no-op: 0, 0.1",
        f"  as parameters: observation='{seen}' actions='{drive}'"]


def test_choices_have_numbers_and_a_warning_is_said() -> None:
    one = ObservationSpec((2,), "float32", 0, 1)
    lines = shown(PlantSpec("game", 20_000_000, one, CHOICES, "50 a second, as its own clock says",
                            "no rewards")).splitlines()
    assert lines[0] == "  a tick every 20 ms: 50 a second, as its own clock says"
    assert lines[1:4] == ["  observation: float32[2], 0 to 1",
                          "  actions: one of 2 choices: 0 LEFT, 1 STAY", "  no-op: STAY"]
    assert lines[-1] == "  warning: no rewards"


def test_of_very_many_names_some_are_listed() -> None:
    many = ObservationSpec((30,), "float32", 0, 1, elements=tuple(f"e{n}" for n in range(30)))
    assert "e22, e23, and 6 more\n" in shown(PlantSpec("long", 20_000_000, many, CHOICES))
