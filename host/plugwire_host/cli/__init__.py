"""``plugin-run``: plugins from a shell. One file per command; the only place that imports click and rich."""
