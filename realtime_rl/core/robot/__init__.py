"""What a robot is: its contract, what is read from it, what is sent to it, and when."""
