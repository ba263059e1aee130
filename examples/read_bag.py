"""Who acted in a recorded run, with what, and how late.

    python examples/read_bag.py runs/20260101-120000
"""

import sys
from collections import Counter

import realtime_rl


def main(bag: str) -> None:
    run = realtime_rl.read_bag(bag)
    for warning in run.warnings:
        print(f"warning: {warning}")
    causes: Counter[str] = Counter()
    delays: Counter[int] = Counter()
    for step in run.records.timesteps:
        causes[step.cause.name.lower()] += 1
        if step.cause is realtime_rl.Cause.POLICY:
            delays[step.tick - step.observation_tick] += 1
            print(f"tick {step.tick}: action {step.action}, from the observation of tick "
                  f"{step.observation_tick}")
    print("who acted:", dict(causes))
    print("delays [ticks]:", dict(sorted(delays.items())))
    inaction = realtime_rl.report_bag(bag)["interaction"]["inaction_fraction"]
    print(f"inaction: {'not known' if inaction is None else format(inaction, '.4f')}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except realtime_rl.RealtimeRlError as error:
        sys.exit(str(error))
