"""A plant of several parts keeps the contract of all plants."""

from __future__ import annotations

import pytest

pytest.importorskip("gymnasium")
pytest.importorskip("cv2")

from plants_conformance import PlantConformance

from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant


class TestReach(PlantConformance):
    """Pictures and values of the same tick."""

    def make_plant(self, seed: int) -> Plant:
        return registry.make("gymnasium", {"id": "plants.parts_env:Reach-v0", "colour": "true",
                                           "size": 96}, seed)

    def test_its_parts(self, plant: Plant) -> None:
        assert str(plant.spec.observation) == (
            "image=uint8[3,96,96] 0:255; state=float32[6] -1:1")
