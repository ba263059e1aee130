"""`python -m examples.robot_sim arm|base`, from the folder of the clone."""

import sys

from examples.robot_sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
