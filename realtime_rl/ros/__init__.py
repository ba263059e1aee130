"""What is ROS about a node: parameters, QoS, messages, spinning; and which nodes a graph has."""
