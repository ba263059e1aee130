"""Learn a policy under a delay, write it as ONNX, and play it greedily.

    python examples/train_policy.py runs/example 3000
"""

import sys
from contextlib import closing

import realtime_rl

DELAY = 2


def main(out: str = "runs/example", ticks: str = "3000") -> None:
    learner = {"network": "mlp", "learn_start": 200, "epsilon_transitions": int(ticks) // 2}
    with closing(realtime_rl.make_plant("counter", actions=2, observation="image")) as plant:
        trained = realtime_rl.train_policy(plant, out, delay=DELAY, ticks=int(ticks),
                                           learner=learner, updates_per_tick=0.5)
        policy = realtime_rl.load_policy(trained.policy, plant)
        figures = realtime_rl.simulate_policy(plant, policy, delay=DELAY, ticks=1000)
    print(f"{trained.updates} updates; {trained.policy}, version {policy.version}: reward "
          f"{figures.reward_per_tick:.2f} a tick (chance: 0.50)")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except realtime_rl.RealtimeRlError as error:
        sys.exit(str(error))
