"""The suite as a host: it launches a plugin under test and talks with it."""
