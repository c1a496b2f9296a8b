"""Hooks: the order of links, and runs. Spec 07."""
