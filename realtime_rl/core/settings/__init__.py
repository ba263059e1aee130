"""What can be set: every node's parameters, with their types, ranges and defaults."""
