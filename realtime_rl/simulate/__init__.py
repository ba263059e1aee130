"""Virtual time: the loop of plant and policy without ROS, stepped by counts, never by clocks."""
