"""Cases for hosts: the suite plays the plugins."""
