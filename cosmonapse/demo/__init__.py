"""The demonstration: the whole main job in one process tree, with no model and no network."""
