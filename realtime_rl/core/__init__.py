"""The functional core: everything that decides. No clock, no I/O; time comes in as an argument.

On the ground stand `errors` and `types`; above them, each importing only what is before it:
`messages`, `peers`, `schedule`, `control`, `experience`, `figures`, `settings`.
"""
