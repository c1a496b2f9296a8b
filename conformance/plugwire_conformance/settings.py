"""What the person who runs the suite decides, for both roles."""

import os

from attrs import frozen

from .wire.frames import Framing

#: How long any one wait may take, in seconds, before it counts as never. A subject on a slow machine gets a scale.
_PATIENCE = 5.0
_START_PATIENCE = 15.0
#: What a subject's environment keeps of ours: what programs need to run at all.
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USER",
    "LOGNAME",
    "TZ",
    "XDG_RUNTIME_DIR",
)
_KEPT_PREFIXES = ("CARGO_", "DOTNET_", "GO", "JAVA_", "NODE_", "PYENV_", "RUSTUP_")


@frozen
class Settings:
    """`command` starts the subject; `env` is added to its scrubbed environment. Paths in `command` are looked up in
    `cwd`.
    """

    command: tuple[str, ...]
    cwd: str
    framing: Framing = Framing.HEADER
    profile: str = "core"
    timeout_scale: float = 1.0
    seed: int = 0
    jobs: int = 2
    repeat: int = 1
    #: A case that failed is asked once more, so that one that only fails at times is told as what it is.
    runs_of_a_failure: int = 2
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    #: Capabilities whose absence is a failure.
    require: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    keep_wire: bool = False

    @property
    def patience(self) -> float:
        """How long a wait may take, in seconds."""
        return _PATIENCE * self.timeout_scale

    @property
    def start_patience(self) -> float:
        """How long a start may take, up to the end of the handshake, in seconds: much else may be starting as well."""
        return max(_START_PATIENCE, 2 * self.patience)

    def environment(self) -> dict[str, str]:
        """The environment that a subject is started with."""
        kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
        return kept | {"PLUGWIRE_FRAMING": self.framing.value} | dict(self.env)
