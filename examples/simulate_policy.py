"""What a policy loses by acting late: the same game at several delays, in virtual time.

    python examples/simulate_policy.py policies/catch.onnx 3000
"""

import sys
from contextlib import closing

import realtime_rl


def main(policy: str = "policies/catch.onnx", ticks: str = "3000") -> None:
    for delay in (1, 6, 12):
        with closing(realtime_rl.make_plant("pyboy", seed=1, rom="catch")) as plant:
            figures = realtime_rl.simulate_policy(plant, policy, delay=delay, ticks=int(ticks))
        print(f"delay {delay:2} ticks: reward {figures.reward_per_tick:+.4f} a tick, "
              f"{len(figures.returns)} episodes ended, inaction {figures.inaction_fraction:.3f}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except realtime_rl.RealtimeRlError as error:
        sys.exit(str(error))
