"""Starts a graph where `ros2 launch` is not installed, and prepares one for either."""
