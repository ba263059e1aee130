"""`realtime-rl`: one verb a module; bad input is one line and status 2."""

from __future__ import annotations

import argparse
import errno
import io
import sys
from collections.abc import Sequence

from realtime_rl import __version__
from realtime_rl.cli import (
    bench,
    dataset,
    doctor,
    export,
    plan,
    plants,
    policy,
    regret,
    report,
    robot,
    run,
    simulate,
    train,
)
from realtime_rl.cli.output import drop, prepare
from realtime_rl.core.errors import RealtimeRlError

_VERBS = (run, report, regret, dataset, simulate, train, plan, policy, bench, plants, export, robot,
          doctor)


def parser() -> argparse.ArgumentParser:
    """Return the whole command line's parser."""
    main_parser = argparse.ArgumentParser(
        prog="realtime-rl",
        description="Realtime RL with staggered asynchronous inference, for ROS 2.",
        epilog="Begin with: realtime-rl run --config catch --duration 60")
    main_parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = main_parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in _VERBS:
        verb.add_parser(verbs)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the locale cannot say is spelt out
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(arguments)
    try:
        prepare(args)
        status = int(args.main(args))
        sys.stdout.flush()
        return status
    except RealtimeRlError as error:
        print(f"realtime-rl {args.verb}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop(sys.stdout)
        return 0
    except OSError as error:
        text = error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            drop(sys.stdout)
            text += (", where the output goes or a temporary file; make room, and give the command "
                     "again")
        elif "temporary directory" not in text:  # what the module tempfile says
            raise
        else:
            text += "; name a folder that can be written to with TMPDIR"
        print(f"realtime-rl {args.verb}: error: {text}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
