"""How many workers a model's inference time takes, and what delay they give.

    python examples/plan_workers.py lognormal:215ms,cv=0.3 20
"""

import sys

import realtime_rl


def main(latency: str = "lognormal:215ms,cv=0.05", period_ms: str = "16.742706") -> None:
    print(f"a tick every {period_ms} ms, an inference takes {latency}")
    for algorithm in ("max_time", "exp_time", "sequential"):
        plan = realtime_rl.plan_workers(latency, period_ms=float(period_ms), algorithm=algorithm)
        seen = plan.prediction
        enough = "" if plan.required_workers else ", and no number of workers is enough"
        print(f"{algorithm}: {seen.workers} workers, delay {seen.delay_ticks:.1f} ticks, "
              f"{seen.inaction:.1%} of the ticks without an action{enough}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except realtime_rl.RealtimeRlError as error:
        sys.exit(str(error))
