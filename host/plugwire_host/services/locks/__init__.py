"""Locks: leases, tokens and fair queues. Spec 10."""
