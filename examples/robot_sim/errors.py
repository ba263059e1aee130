"""What a person who starts the simulator can mend; printed as one line."""


class SimulatorError(Exception):
    """Something in the command line, the model or a request that cannot be used."""
