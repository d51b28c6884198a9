"""Signed checkpoints over the journal's chain, the keys that sign them, and how both are checked."""
