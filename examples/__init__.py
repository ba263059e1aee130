"""Examples: each file runs by itself; `robot_sim` is a program of several."""
