"""The host's own services, one file each, behind one small interface (``routing.router.HostService``)."""
