"""What acts on the plant at a tick: an action, the default policy, an operator or a stop."""
