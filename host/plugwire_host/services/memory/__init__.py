"""Shared memory: files, leases and copies. Spec 09."""
