"""The lives of plugins: start, handshake, restart, stop. It knows no application (host.py) and no service."""
