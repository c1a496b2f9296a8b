"""Who calls whom: the registry of services, the calls in flight, and the way of every message between plugins.

a plugin's arrival → link → router → registry → the callee's link, or a method of the host's own
"""
