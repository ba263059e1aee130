"""The functional core: everything that decides. No clock, no I/O; time comes in as an argument."""
