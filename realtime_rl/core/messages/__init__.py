"""What travels between nodes and into bags: how each record is laid out, named and found."""
