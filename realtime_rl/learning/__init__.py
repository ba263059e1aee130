"""Learning: the only importer of torch. Nothing of it is imported here: torch is optional."""
