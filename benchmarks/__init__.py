"""What is measured, each as a command of its own: see `docs/how-to/benchmark.md`.

A regular package, as `pyarrow` 17 installs one of this name, which would go before a mere folder.
"""
