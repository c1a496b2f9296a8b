"""How the cases of chapter 07 speak of hooks: plugins with links, runs, and who was asked what.

Owns no case.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ...case import Broken, TimedOut, host_case
from ...hosts.given import Given, plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...wire.messages import Json, Message

#: A case that is asked only of a host that has hooks.
hook_case = partial(host_case, declares=("hooks",))
#: The same, of a host that also reads meta: it gives times and who asks.
hook_meta_case = partial(host_case, declares=("hooks", "meta"))
HOOK = "text.shown"
#: What a plugin says that takes meta, and works on several requests at a time.
MANY_AT_ONCE = {"meta": True, "concurrency": 8}


def linked(name: str, *hooks: str, capabilities: Json = None, **more: Json) -> Given:
    """A plugin with a link for each of the hooks, or for HOOK; `more` are members of the links."""
    links = [{"name": hook, **more} for hook in hooks or (HOOK,)]
    return plugin(name, hooks=links, capabilities=capabilities)


@contextmanager
def started(host: HostSubject, rule: str, *given: Given) -> Iterator[HostRun]:
    """Like `host.start`; a plugin that does not become ready breaks that rule. Each adds its name to the value."""
    run = host.launch(*given)
    for one in given:
        adds_its_name(run.receive(one.name))
    for one in given:
        try:
            run[one.name].wait_ready()
        except TimedOut as late:
            raise Broken(late.message, expected=late.expected, got=late.got, requirement=rule) from None
    yield run


def adds_its_name(probe: ProbeTalk) -> None:
    """From now on each link of the plugin answers with the list that it was given, and its own name at the end."""

    def answer(message: Message) -> dict[str, Json]:
        value = message.params.get("value")
        return {"result": {"value": [*value, probe.name] if isinstance(value, list) else value}}

    probe.reflexes["hook/call"] = answer


def says(probe: ProbeTalk, **members: Json) -> None:
    """From now on each link of the plugin answers just so: `result=…` or `error=…`."""
    probe.reflexes["hook/call"] = lambda _: members


def run_hook(probe: ProbeTalk, value: Json, *, hook: str = HOOK, rule: str = "HOK-08") -> dict[str, Json]:
    """Runs a hook and waits for the result."""
    result = probe.expect_result(probe.request("hook/run", {"name": hook, "value": value}), rule=rule)
    if not isinstance(result, dict):
        raise Broken("hook/run has no outcome", expected="an object", got=str(result), requirement=rule)
    return result


def asked(probe: ProbeTalk, hook: str = HOOK) -> list[Json]:
    """The values that the links of the plugin for that hook were asked about, in this order."""
    calls = [message for from_host, message in probe.history if from_host and message.method == "hook/call"]
    return [message.params.get("value") for message in calls if message.params.get("name") == hook]


def is_cancel_of(request: Message, message: Message) -> bool:
    """Whether the message cancels that request."""
    params = message.params
    return message.method == "$/cancelRequest" and isinstance(params, dict) and params.get("id") == request.id
