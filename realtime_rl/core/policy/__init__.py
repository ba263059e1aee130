"""How to feed a policy's graph from what a plant shows, and how to read an action from it."""
