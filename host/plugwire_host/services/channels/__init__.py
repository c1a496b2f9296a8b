"""Channels: bounded queues between plugins. Spec 08."""
