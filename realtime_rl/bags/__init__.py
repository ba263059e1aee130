"""Bags: recording, reading, figures and reports, none of which needs ROS."""
