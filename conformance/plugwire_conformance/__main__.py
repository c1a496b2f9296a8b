"""``python -m plugwire_conformance`` is ``plugin-conform``."""

from .cli.main import main

main()
