"""Measurements: live through ROS 2, or in virtual time by the same core."""
