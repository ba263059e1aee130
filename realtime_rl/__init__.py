"""Realtime reinforcement learning with staggered asynchronous inference, for ROS 2."""

__version__ = "0.1.0"
