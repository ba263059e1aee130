"""The nodes: thin shells that decode, make one core call, and publish."""
