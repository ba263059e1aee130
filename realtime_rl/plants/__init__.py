"""Plants: the controlled systems. They are stepped; they never wait and never look at a clock."""
