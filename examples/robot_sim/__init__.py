"""A simulated robot in a process of its own, as ros2_control would drive it; see README.md.

It knows nothing of the package `realtime_rl`, and imports nothing of it.
"""
