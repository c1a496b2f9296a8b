"""Makes everything that is generated from the model, or with --check says what is stale.

    python sdk/codegen [--check] [--root DIR]

Nothing is written before the model has passed its lints and every file could be made.
"""

import argparse
import sys
from pathlib import Path

from chapters import load_chapters
from emit_markdown import fill
from emit_python import emit_codes, emit_types
from emit_requirements import emit_requirements
from emit_schema import BUNDLE, MESSAGES, emit_schemas
from lints import check
from model import ModelError
from reading import load

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs the command line; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="codegen", description="Generates code, schemas and tables from the model.")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is stale and exit with 1")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the repository; default: this one")
    arguments = parser.parse_args()
    try:
        files = generate(arguments.root)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    stale = {path: text for path, text in files.items() if read(arguments.root / path) != text}
    for path, text in stale.items():
        print(f"stale: {path.as_posix()}")
        if not arguments.check:
            write(arguments.root / path, text)
    return 1 if arguments.check and stale else 0


def generate(root: Path) -> dict[Path, str | None]:
    """Every generated file with its text, by its path from the root; None for one that should be gone."""
    model, chapters = load(root), load_chapters(root)
    check(model, chapters)
    schemas = emit_schemas(model)
    old = [path.relative_to(root) for path in sorted((root / MESSAGES).glob("*.json"))]
    return {
        Path("sdk/python/plugwire/wire/_codes.py"): emit_codes(model),
        Path("sdk/python/plugwire/types/_generated.py"): emit_types(model),
        **{path: None for path in old if path not in schemas},
        **schemas,
        # The host checks what a plugin says of itself by it, and spec/ is not there at run time.
        Path("host/plugwire_host/supervision/protocol.schema.json"): schemas[BUNDLE],
        # The suite stands alone: it has the sentences and the schemas with it.
        Path("conformance/plugwire_conformance/protocol.schema.json"): schemas[BUNDLE],
        Path("conformance/plugwire_conformance/requirements.json"): emit_requirements(root),
        **fill(model, chapters),
    }


def read(path: Path) -> str | None:
    """The text of a file, byte for byte; None where there is no file."""
    return path.read_bytes().decode("utf-8") if path.exists() else None


def write(path: Path, text: str | None) -> None:
    """Writes a file and the folders above it, or removes the file."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
