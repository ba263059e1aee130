"""Which worker infers on which tick, when its action leaves, and how many workers that takes."""
