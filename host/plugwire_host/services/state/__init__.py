"""Shared state: values, revisions and watches. Spec 10."""
