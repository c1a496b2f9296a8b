"""The host's own services, a folder or a file each, behind one small interface (routing/service.py)."""
