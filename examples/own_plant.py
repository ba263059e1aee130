"""A plant of one's own, played at several delays: hold the level of a leaking tank with a valve."""

import numpy as np

import realtime_rl as rl


class Tank(rl.Plant):
    spec = rl.PlantSpec("tank", 20_000_000, rl.ObservationSpec((1,), "float32", 0, 1),
                        rl.ActionSpace(("SHUT", "OPEN"), (0.0,)))

    def __init__(self, seed: int = 0) -> None:
        self._random, self._tick, self._level = np.random.default_rng(seed), 0, 0.5

    def step(self, action: rl.Action) -> rl.Transition:
        rl.check_action(action, self.spec)
        first, last, leak = self._tick == 0, self._tick == 200, 0.02 * self._random.random()
        self._level = 0.5 if first else min(1.0, max(0.0, self._level + 0.02 * action[0] - leak))
        self._tick = 0 if last else self._tick + 1
        reward = 0.0 if first else 1.0 - abs(self._level - 0.5)
        return rl.Transition(np.array([self._level], np.float32), reward, 1.0, first, last)

    def reset(self, seed: int | None = None) -> None:
        self._random = self._random if seed is None else np.random.default_rng(seed)
        self._tick = 0

    def save_state(self) -> bytes:
        return rl.pack_state("tank", {"now": [self._random.bit_generator.state, self._tick,
                                              self._level]})

    def load_state(self, state: bytes) -> None:
        found, _ = rl.unpack_state("tank", state)
        self._random.bit_generator.state, self._tick, self._level = found["now"]


if __name__ == "__main__":
    for late in (1, 10, 40):
        played = rl.simulate_policy(Tank(), lambda tick, seen: (float(seen[0] < 0.5),),
                                    delay=late, ticks=2000)
        print(f"delay {late:2} ticks: reward {played.reward_per_tick:.4f} a tick")
