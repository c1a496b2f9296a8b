"""How a host starts plugins from a manifest and from its list (chapter 12)."""

import shlex

from ...case import Broken, expect_equal, host_case
from ...hosts.given import Given, plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.frames import Framing
from ...wire.messages import Json
from ._between import expect_refused
from ._raw import ONCE

#: What every manifest needs beside its command.
NAMED: dict[str, Json] = {"name": "from-manifest", "version": "1.0"}
_ARGUMENTS = (
    "two words",
    "$HOME",
    "$(touch executed)",
    "`touch executed`",
    "*",
    "~",
    "a;touch executed",
    "&&",
    ">executed",
    "'single'",
    '"double"',
    "back\\slash",
    "",
    "-x",
    "line\nend",
    "é😀",
    "%PATH%",
)
_SCHEMA: Json = {"type": "object", "properties": {"tone": {"type": "string"}}, "required": ["tone"]}


def _result(*services: Json) -> dict[str, Json]:
    return {"protocolVersion": "1.0", "plugin": {"name": "x", "version": "1"}, "provides": list(services)}


@host_case(
    "manifest/read-only",
    "MAN-01",
    why="Listing the plugins of a folder must be safe, also for a folder that somebody sent.",
    mend="Read manifests as data; start a command only when the plugin is to be started.",
)
def read_only(host: HostSubject) -> None:
    """A host does not execute anything when it reads a manifest.

    Two manifests, each with a command that makes a file, and with values that a shell would execute. The plugin of the
    first is not enabled, and another plugin becomes ready; that of the second lacks the configuration that its schema
    wants. The host is ended. Expected: no such file.
    """
    tricky = "$(touch executed)`touch executed`"
    manifest = NAMED | {"command": ["/bin/sh", "-c", "touch executed"], "env": {"TRICKY": tricky}}
    with host.checks("not-enabled"):
        run = host.launch(Given("never", settings={"enabled": False}, manifest=manifest), plugin("other"))
        run.receive("other").wait_ready()
        _expect_nothing_executed(run)
    with host.checks("refused"):
        run = host.launch(Given("never", manifest=manifest | {"config": _SCHEMA | {"title": tricky}}))
        run.expect_told("tone", rule="MAN-06")
        _expect_nothing_executed(run)


def _expect_nothing_executed(run: HostRun) -> None:
    run.stop()
    found = list(run.folder.glob("**/executed"))
    if found:
        raise Broken("the command of a plugin that is not to be started was run", expected="no file", got=found[0].name)


@host_case(
    "manifest/no-shell",
    "MAN-02",
    why="A shell takes blanks, quotes and dollars apart: arguments get lost, and a name with a semicolon runs a "
    "command.",
    mend="Give the list of arguments to the system as it is, without a shell.",
)
def no_shell(host: HostSubject) -> None:
    """A host runs a command as the list of arguments that it is.

    Given to a plugin in the host's list, and to one in a manifest: arguments with blanks, quotes, dollars, stars, line
    ends and other things that a shell would change. Expected: just these arguments at the process.
    """
    listed = Given("listed", _result(), arguments=_ARGUMENTS)
    manifested = Given("manifested", _result(), arguments=_ARGUMENTS, manifest=NAMED)
    with host.start(listed, manifested) as run:
        for name in ("listed", "manifested"):
            with host.checks(name):
                expect_equal(run[name].about["arguments"], list(_ARGUMENTS), "the arguments are others", rule="MAN-02")


@host_case(
    "manifest/folder",
    "MAN-03",
    why="A plugin finds the files that it came with by where it runs; elsewhere it works on its author's machine only.",
    mend="Run a plugin in its manifest's folder, unless the list gives a cwd, which is relative to the list's folder.",
)
def folder(host: HostSubject) -> None:
    """A host runs a plugin in its manifest's folder, unless its list says otherwise.

    One plugin has a manifest; for another one the list has cwd = "." as well. Expected: the first runs in the
    manifest's folder, the second in the list's folder.
    """
    own = Given("own", _result(), manifest=NAMED)
    moved = Given("moved", _result(), settings={"cwd": "."}, manifest=NAMED)
    with host.start(own, moved) as run:
        root = run.folder.resolve()
        with host.checks("manifest"):
            expect_equal(run["own"].about["cwd"], str(root / "own"), "the folder is another", rule="MAN-03")
        with host.checks("list"):
            expect_equal(run["moved"].about["cwd"], str(root), "the folder is another", rule="MAN-03")


@host_case(
    "manifest/framing-told",
    "MAN-09",
    why="An SDK that serves both framings has no other way to know which one it is to speak.",
    mend="Set PLUGWIRE_FRAMING in the environment of every plugin, to `header` or `line`.",
)
def framing_told(host: HostSubject) -> None:
    """A host sets PLUGWIRE_FRAMING for every plugin.

    Three plugins: one with header framing, one with line framing in the list, one with line framing in its manifest.
    Expected in their environments: header, line, line.
    """
    given = [
        Given("header", _result()),
        Given("line", _result(), framing=Framing.LINE),
        Given(
            "manifested",
            _result(),
            framing=Framing.LINE,
            settings={"framing": None},
            manifest=NAMED | {"framing": "line"},
        ),
    ]
    with host.start(*given) as run:
        for name, framing in (("header", "header"), ("line", "line"), ("manifested", "line")):
            with host.checks(name):
                told = run[name].about["environment"].get("PLUGWIRE_FRAMING")
                expect_equal(told, framing, "PLUGWIRE_FRAMING is another", rule="MAN-09")


@host_case(
    "manifest/promises",
    "MAN-05",
    why="Who calls a service that a manifest promises would find out only when it is not there.",
    mend="Compare `provides` of the answer to initialize with that of the manifest, and refuse a plugin that "
    "lacks some.",
)
def promises(host: HostSubject) -> None:
    """A host refuses a plugin that does not provide what its manifest promises.

    The manifest promises the service stars with the methods rise and set. One plugin answers initialize without it, one
    without the method set, one with both and one more. Expected: the first two are not made ready, and are ended with a
    report that names the plugin; the third is ready.
    """
    promise: Json = [{"service": "stars", "methods": ["rise", "set"]}]
    manifest = NAMED | {"provides": promise}
    answers: dict[str, list[Json]] = {
        "no-service": [],
        "no-method": [{"service": "stars", "methods": ["rise"]}],
    }
    for name, services in answers.items():
        given = Given(name, _result(*services), settings=ONCE, manifest=manifest)
        with host.checks(name):
            run = host.launch(given)
            run.receive(name)
            expect_refused(run[name], rule="MAN-05")
            run.expect_told(name, "stars", lines=20, rule="MAN-05")
    kept = {"service": "stars", "version": "7", "methods": {"rise": {}, "set": {}, "shine": {}}}
    with host.checks("kept"), host.start(Given("kept", _result(kept), manifest=manifest)) as run:
        run["kept"].expect_alive("MAN-05")


@host_case(
    "manifest/config-checked",
    "MAN-06",
    why="A typing mistake in a configuration shows as a strange fault of the plugin, much later.",
    mend="Check the configuration against the manifest's JSON Schema before you start the plugin.",
)
def config_checked(host: HostSubject) -> None:
    """A host checks a plugin's configuration against the schema of its manifest before it starts it.

    The schema wants a string `tone`. The list gives a number to one plugin, nothing to another one, and a string to a
    third. Expected: the first two are never started, with a report; the third gets it in initialize.
    """
    manifest = NAMED | {"config": _SCHEMA}
    for name, settings in {"wrong-type": {"config": {"tone": 5}}, "missing": {}}.items():
        with host.checks(name):
            run = host.launch(Given("choosy", _result(), settings=settings, manifest=manifest))
            run.expect_told("tone", rule="MAN-06")
            run.stop()
            run.refuse_start("choosy", rule="MAN-06")
    good = Given("choosy", _result(), settings={"config": {"tone": "warm"}}, manifest=manifest)
    with host.checks("fits"), host.start(good) as run:
        expect_equal(run["choosy"].opening.get("config"), {"tone": "warm"}, "config is another", rule="MAN-06")


@host_case(
    "manifest/others-start",
    "MAN-08",
    "LIF-19",
    why="One plugin that is not installed well would keep a user from all others.",
    mend="Report a plugin that does not start, and start the others, unless it is `required`.",
)
def others_start(host: HostSubject) -> None:
    """The failure of a plugin that is not required does not keep a host from starting the others.

    The list names a program that does not exist, one that is not executable, a folder that does not exist, one that
    ends at once, and one that prints a line and ends; and one that is good. Expected: the good one becomes ready.
    """
    commands: dict[str, dict[str, Json]] = {
        "missing-program": {"command": ["./there-is-none"]},
        "not-executable": {"command": ["./plugins.toml"]},
        "missing-folder": {"cwd": "there-is-none"},
        "ends-at-once": {"command": ["/bin/sh", "-c", "exit 3"]},
        "no-plugin": {"command": ["/bin/sh", "-c", shlex.join(["echo", "hello"])]},
    }
    bad = [Given(name, settings=settings | ONCE) for name, settings in commands.items()]
    run = host.launch(*bad, plugin("good"))
    run.receive("good", rule="MAN-08")
    run["good"].wait_ready()
    for name in commands:
        with host.checks(name):
            run.expect_told(name, rule="LIF-10")
    run["good"].expect_alive("MAN-08")
    if any(message.method == "shutdown" for from_subject, message in run["good"].history if from_subject):
        raise Broken(
            "the host ends the good one as well", expected="that it stays", got="shutdown", requirement="MAN-08"
        )
