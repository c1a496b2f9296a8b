"""What the first bytes of a file say about the machine that it was built for."""

from __future__ import annotations

import os
import platform
import struct
from pathlib import Path
from typing import NamedTuple

_ELF = b"\x7fELF"
_MACHINES = {
    3: "x86",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC64",
    22: "s390x",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}
# What a machine runs: itself, and those of its 32-bit ancestors that kernels commonly still take.
_RUNS = {
    "x86_64": (62, 3),
    "amd64": (62, 3),
    "i386": (3,),
    "i686": (3,),
    "aarch64": (183, 40),
    "arm64": (183, 40),
    "armv6l": (40,),
    "armv7l": (40,),
    "ppc64": (21, 20),
    "ppc64le": (21,),
    "s390x": (22,),
    "riscv64": (243,),
    "loongarch64": (258,),
}
_OTHER_SYSTEMS = {
    b"MZ": "Windows",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS or the Java virtual machine",
}
_PT_INTERP = 3
_BINFMT_MISC = Path("/proc/sys/fs/binfmt_misc")


class Elf(NamedTuple):
    """A file in the Executable and Linkable Format: its ``e_machine``, and the loader that it asks for."""

    machine: int
    loader: str | None


def read_elf(path: Path) -> Elf | None:
    """What an ELF file says of itself; None for any other file. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 20 or not head.startswith(_ELF):
            return None
        wide, order = head[4] == 2, ">" if head[5] == 2 else "<"
        machine = struct.unpack_from(order + "H", head, 18)[0]
        try:
            table, size, count = _program_headers(head, wide, order)
            file.seek(table)
            headers = file.read(size * min(count, 256))
            for start in range(0, len(headers), size):
                kind, offset, length = _segment(headers, start, wide, order)
                if kind == _PT_INTERP:
                    file.seek(offset)
                    return Elf(machine, os.fsdecode(file.read(min(length, 4096)).rstrip(b"\0")))
        except (struct.error, ValueError, OverflowError):
            # A damaged file; whether it runs is for the kernel to say.
            pass
        return Elf(machine, None)


def _program_headers(head: bytes, wide: bool, order: str) -> tuple[int, int, int]:
    """Offset of the table, size of an entry, number of entries."""
    table = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    return table, size, count


def _segment(headers: bytes, start: int, wide: bool, order: str) -> tuple[int, int, int]:
    """Kind, offset in the file, and length there of one program header."""
    if wide:
        kind, _, offset, _, _, length = struct.unpack_from(order + "IIQQQQ", headers, start)
    else:
        kind, offset, _, _, length = struct.unpack_from(order + "IIIII", headers, start)
    return kind, offset, length


def machine_name(machine: int) -> str:
    return _MACHINES.get(machine, f"machine {machine}")


def foreign_to(elf: Elf) -> str | None:
    """The name of this machine when it cannot run the file; None when it can, or when nobody knows."""
    runs = _RUNS.get(platform.machine().lower())
    return machine_name(runs[0]) if runs and elf.machine not in runs else None


def other_system(head: bytes) -> str | None:
    """The system whose programs begin like this, when it is not this one."""
    for magic, system in _OTHER_SYSTEMS.items():
        if head.startswith(magic) and not (os.name == "nt" or platform.system() == "Darwin"):
            return system
    return None


def runs_by_binfmt(path: Path, head: bytes) -> bool:
    """Whether the kernel was told of an interpreter for such files (Linux: qemu, wine, java)."""
    try:
        entries = [entry.read_text() for entry in _BINFMT_MISC.iterdir() if entry.name not in ("register", "status")]
    except OSError:
        return False
    return any(_binfmt_matches(entry, path, head) for entry in entries)


def _binfmt_matches(entry: str, path: Path, head: bytes) -> bool:
    fields = dict(line.partition(" ")[::2] for line in entry.splitlines())
    if "enabled" not in fields:
        return False
    if "extension" in fields:
        return path.name.endswith(fields["extension"])
    try:
        magic = bytes.fromhex(fields["magic"])
        mask = bytes.fromhex(fields.get("mask", "ff" * len(magic)))
        part = head[int(fields["offset"]) :][: len(magic)]
    except (KeyError, ValueError):
        return False
    return len(part) == len(magic) and all(
        byte & bits == wanted & bits for byte, wanted, bits in zip(part, magic, mask, strict=False)
    )
