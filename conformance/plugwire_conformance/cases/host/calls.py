"""Calls from plugin to plugin: where they go, and who answers those that go nowhere (chapter 04)."""

from ...case import Broken, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import METHOD_NOT_FOUND, PLUGIN_UNAVAILABLE
from ._between import always, error_data, expect_refused, held, settle

_RESERVED = ("event", "hook", "channel", "memory", "state", "lock", "log", "service", "host")


@host_case(
    "calls/reserved-service",
    "CAL-01",
    why="A plugin that could provide `state` or `lock` would take what other plugins entrust to the host.",
    mend="Refuse a plugin whose answer to initialize provides a reserved service: say so, and end its process.",
)
def reserved_service(host: HostSubject) -> None:
    """A host refuses a plugin that provides a reserved service.

    Started: a good plugin, one plugin for each reserved service, and one whose methods would begin with `$/`.
    Expected: the good one becomes ready; the others never receive initialized, and their processes end.
    """
    names = {"dollar": "$"} | {f"provides-{name}": name for name in _RESERVED}
    run = host.launch(
        plugin("good", "good/hello"),
        *(plugin(name, provides=[{"service": service, "methods": ["x"]}]) for name, service in names.items()),
    )
    for name in ("good", *names):
        run.receive(name)
    for name, service in names.items():
        with host.checks(service):
            expect_refused(run[name], rule="CAL-01")
    run["good"].wait_ready()


@host_case(
    "calls/routed",
    "CAL-02",
    declares=("services",),
    why="A caller knows its call by its own id and nothing else: with another one it waits for ever.",
    mend="Keep the caller's id, with its type, beside the id that you mint for the callee, and answer with it.",
)
def routed(host: HostSubject) -> None:
    """A call reaches the plugin that provides its service, and its answer comes back with the caller's id.

    Sent by one plugin: requests to another one with ids of every kind; first all, then the answers, the last one first.
    Expected: each reaches the provider with its params, and is answered with its own id, of the same type.
    """
    ids = {"integer": 7, "string": "7", "zero": 0, "negative": -1, "empty-string": "", "largest": 2**53 - 1}
    ids |= {"letters": "é☃", "longest": "x" * 128}
    with host.start(plugin("a"), plugin("b", "b/say", capabilities={"concurrency": 16})) as run:
        a, b = run["a"], run["b"]
        calls = [(name, *held(a, b, "b/say", {"word": name}, id=id)) for name, id in ids.items()]
        for name, _, request in reversed(calls):
            expect_equal(request.params, {"word": name}, "what the provider was given is another")
            b.answer(request, f"{name}!")
        for name, id, _ in calls:
            with host.checks(name):
                expect_equal(a.expect_result(id), f"{name}!", "the result is another")


@host_case(
    "calls/two-callers",
    "CAL-02",
    declares=("services",),
    why="Two plugins count their ids on their own; a host that mixes them up gives one what the other asked for.",
    mend="Keep for each request at a callee which connection it came from, not its id alone.",
)
def two_callers(host: HostSubject) -> None:
    """Two plugins that use the same id at the same time each get their own answer.

    Sent by two plugins: a request with id 1 to a third one, which answers the second first.
    Expected: each gets the answer to its own request.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c", "c/say", capabilities={"concurrency": 2})) as run:
        a, b, c = run["a"], run["b"], run["c"]
        _, of_a = held(a, c, "c/say", {"who": "a"}, id=1)
        _, of_b = held(b, c, "c/say", {"who": "b"}, id=1)
        c.answer(of_b, "for b")
        c.answer(of_a, "for a")
        expect_equal(a.expect_result(1), "for a", "what a was answered is another")
        expect_equal(b.expect_result(1), "for b", "what b was answered is another")


@host_case(
    "calls/named-provider",
    "CAL-04",
    declares=("services",),
    why="Where several plugins provide a service, some callers have to say whom they mean.",
    mend="Route service@instance/method to that instance alone, and give it the method as service/method.",
)
def named_provider(host: HostSubject) -> None:
    """A caller can name the provider.

    Given: two plugins that provide the same service, the one with the higher version being the one that is chosen
    otherwise. Sent: a request and a notification to service@instance/method with the other's name.
    Expected: they reach the one that is named, as service/method.
    """
    old = plugin("old", provides=[{"service": "shop", "version": "1", "methods": ["open"]}])
    new = plugin("new", provides=[{"service": "shop", "version": "2", "methods": ["open"]}])
    with host.start(plugin("a"), old, new) as run:
        a = run["a"]
        run["new"].reflexes["shop/open"] = always("new")
        run["old"].reflexes["shop/open"] = always("old")
        with host.checks("request"):
            expect_equal(a.ask_result(f"shop@{run['old'].instance}/open"), "old", "another one answered")
        run["old"].reflexes.clear()
        with host.checks("notification"):
            a.notify(f"shop@{run['old'].instance}/open", {"n": 1})
            expect_equal(run["old"].expect_notification("shop/open").params, {"n": 1}, "its params are others")


@host_case(
    "calls/unknown",
    "CAL-05",
    declares=("services",),
    why="A caller that is not told waits until its time runs out, and takes a slip of the pen for a slow plugin.",
    mend="Answer a request for what nobody provides with -32601 at once.",
)
def unknown(host: HostSubject) -> None:
    """A call for a service or method that no one provides is answered with MethodNotFound.

    Sent: requests for a service that nobody has, for a method that the provider has not, for one that is only spelled
    alike, for an instance that does not provide the service, and for names that are no service/method.
    Expected: -32601 for each, and the provider receives none of them.
    """
    slug = f"q{host.random.randrange(10**9)}"
    wanted = {
        "service": f"{slug}/hello",
        "method": f"b/{slug}",
        "letter-case": "b/Hello",
        "instance": "b@a/hello",
        "no-such-instance": f"b@{slug}/hello",
        "no-slash": slug,
        "no-method": "b/",
        "no-service": "/hello",
    }
    with host.start(plugin("a"), plugin("b", "b/hello")) as run:
        for name, method in wanted.items():
            with host.checks(name):
                run["a"].expect_error(run["a"].request(method), METHOD_NOT_FOUND)
        run["b"].refuse(lambda message: message.is_request, "one of these requests")


@host_case(
    "calls/not-ready",
    "CAL-05",
    declares=("services",),
    why="A caller that is told that the method does not exist gives up; one whose provider is away may try again.",
    mend="Remember who provided what; while it is away answer with -32010, and say in data which plugin and why.",
)
def not_ready(host: HostSubject) -> None:
    """A call whose provider is known but not there is answered with PluginUnavailable.

    Done: the provider ends during a call; after that call is answered, the caller tries again.
    Expected: -32010 with the provider and a reason in data.
    """
    with host.start(plugin("a"), plugin("b", "b/hello")) as run:
        a, b = run["a"], run["b"]
        id, _ = held(a, b, "b/hello")
        b.exit(3)
        a.expect_error(id)
        data = error_data(a.expect_error(a.request("b/hello"), PLUGIN_UNAVAILABLE))
        expect_equal(data.get("instance"), b.instance, "data.instance is another")
        if not isinstance(data.get("reason"), str) or not data["reason"]:
            raise Broken("data has no reason", expected="a text that says why", got=repr(data))


@host_case(
    "calls/notification",
    "CAL-07",
    declares=("services",),
    why="Plugins tell each other things that need no answer; these have to arrive where a request would.",
    mend="Route a notification by the service in its name, as you route a request, and answer it to nobody.",
)
def notification(host: HostSubject) -> None:
    """A notification reaches the plugin that provides its service.

    Sent: a notification of the one plugin, with and without params; the other provides its service.
    Expected: it arrives as it was sent, without an id.
    """
    with host.start(plugin("a"), plugin("b", "b/note")) as run:
        a, b = run["a"], run["b"]
        a.notify("b/note", {"text": "one"})
        a.notify("b/note")
        expect_equal(b.expect_notification("b/note").params, {"text": "one"}, "its params are others")
        expect_equal(b.expect_notification("b/note").params, {}, "its params are others")
        settle(a)
        a.refuse(lambda message: message.is_response, "an answer to a notification")


@host_case(
    "calls/lost-notification",
    "CAL-07",
    declares=("services",),
    why="What nobody takes is a mistake that its author sees only when the host says it.",
    mend="Drop a notification for which there is no provider, and write a line about it where people see it.",
)
def lost_notification(host: HostSubject) -> None:
    """A notification that no one can take is dropped and reported.

    Sent: a notification for a service that nobody provides, and one for a method that its provider has not.
    Expected: nothing comes back, the sender's calls go on, and the host reports each by its name.
    """
    with host.start(plugin("a"), plugin("b", "b/hello")) as run:
        a, b = run["a"], run["b"]
        b.reflexes["b/hello"] = always("hello")
        a.notify("nobody/listens", {"x": 1})
        a.notify("b/unheard", {"x": 1})
        expect_equal(a.ask_result("b/hello"), "hello", "the result of a later call is another")
        for name, found in (("a", a.taken()), ("b", b.taken())):
            found = [message for message in found if message.method != "initialized"]
            if found:
                raise Broken(f"the host sent something to {name} because of it", expected="nothing", got=show(found[0]))
        for method in ("nobody/listens", "b/unheard"):
            with host.checks(f"reported {method}"):
                run.expect_reported(method)
