"""Cases for plugins: the suite is the host."""
