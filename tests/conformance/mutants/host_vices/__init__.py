"""Vices of hosts: each changes the host in one way."""
