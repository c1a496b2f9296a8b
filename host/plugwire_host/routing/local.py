"""The application's own methods, served with the SDK's handlers. Spec CAL-02; identity of the caller: CAL-16."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from plugwire.collaboration import Clients
from plugwire.context import Context, Logger, ProgressCallback
from plugwire.declarations import Declarations
from plugwire.hooks import CALL, serve_links
from plugwire.requests import error_object
from plugwire.router import Kind, Method, check_name
from plugwire.threads import HandlerThreads
from plugwire.wire import ConnectionClosed, MethodNotFound, Raw, RequestCancelled, RequestId
from plugwire.wire.codec import UNSET, encode_value

from .call import Call, encode_params
from .registry import Provided

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .router import Router

T = TypeVar("T")

HOST = "host"
"""Who the application is to plugins (CAL-40)."""


class OwnMethods:
    """What the application serves."""

    def __init__(self) -> None:
        self.methods: dict[str, Method] = {}
        self._versions: dict[str, str] = {}

    def add(self, name: str, handler: Callable[..., Any], version: str) -> None:
        """Raises ValueError for a reserved or taken name (CAL-01)."""
        check_name(name)
        if name in self.methods:
            raise ValueError(f"{name} has a handler already")
        self.methods[name] = Method(name, handler)
        self._versions.setdefault(name.partition("/")[0], version)

    def provides(self) -> list[Provided]:
        """The application's services, as a plugin's."""
        services: dict[str, dict[str, Any]] = {}
        for name, method in self.methods.items():
            service, _, short = name.partition("/")
            services.setdefault(service, {})[short] = method.describe()
        return [Provided(service, self._versions[service], methods) for service, methods in services.items()]


class LocalMethods:
    """Methods of the application. A handler's ``Context`` calls on behalf of the request that it serves."""

    def __init__(
        self,
        router: Router,
        own: OwnMethods,
        *,
        call: Callable[..., Any],
        notify: Callable[[str, Raw | None], None],
        write_log: Callable[[str, str, dict[str, Any]], None],
    ) -> None:
        self.methods = own.methods
        self.config: dict[str, Any] = {}
        self.clients = Clients(self)
        self.declarations = Declarations()
        self.maps_memory = True
        self.loop = router.loop
        self.log = Logger(self)
        self._router = router
        self._call = call
        self._notify = notify
        self._write_log = write_log
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.get_ident()
        self._threads = HandlerThreads(HOST)
        self._links = serve_links(self, self._threads)

    def start(self, call: Call) -> None:
        """Serve a call; its outcome goes to the router."""
        method = self._links if call.method == CALL else self.methods.get(call.method)
        if method is None:
            self._router.finish(call, error_object(MethodNotFound(f"the host has no method {call.method!r}")))
            return
        task = asyncio.get_running_loop().create_task(self._run(call, method))
        call.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, call: Call, method: Method) -> None:
        context = _LocalContext(self, call)
        try:
            arguments = method.binding.arguments(call.params, context)
            if method.kind is Kind.THREAD:
                result = await self._threads.run(partial(method.handler, **arguments))
            else:
                result = await method.handler(**arguments)
            outcome: Any = method.binding.encode_result(result)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            # Whatever a handler raises is its own trouble, and never the application's (ERR-03).
            context.cancelled = call.done
            cancelled = isinstance(error, asyncio.CancelledError)
            outcome = error_object(RequestCancelled("the request was cancelled") if cancelled else error)
        self._router.finish(call, outcome)

    async def aclose(self) -> None:
        self.clients.close(ConnectionClosed("the host is not running"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.close()

    # What a Context asks of whoever runs it

    async def call(
        self,
        method: str,
        params: Any,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
        context: Context | None = None,
    ) -> Any:
        parent = context.served if isinstance(context, _LocalContext) else None
        return await self._call(method, params, timeout=timeout, progress=progress, parent=parent)

    def call_blocking(self, method: str, params: Any, *, timeout: float | None, context: Context | None) -> Any:
        return self.blocking(self.call(method, params, timeout=timeout, context=context))

    def blocking(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if threading.get_ident() == self._thread:
            coroutine.close()
            raise RuntimeError("it would wait for itself on the event loop; await it instead")
        return asyncio.run_coroutine_threadsafe(coroutine, self._router.loop).result()

    def notify(self, method: str, params: Any) -> None:
        raw = encode_params(params)
        self.on_loop(lambda: self._notify(method, raw))

    def do_first(self, action: Callable[[], None]) -> None:
        action()  # there are no frames to be saved here

    def write_log(self, level: str, message: str, data: dict[str, Any]) -> None:
        self.on_loop(lambda: self._write_log(level, message, data))

    def send_progress(self, context: Context, token: RequestId, value: dict[str, Any]) -> None:
        assert isinstance(context, _LocalContext)
        call, raw = context.served, encode_value(value)
        self.on_loop(lambda: self._router.progress(call, raw))

    def on_loop(self, action: Callable[[], None]) -> None:
        """Now, so that it goes before the answer of the handler that asks (CAL-11), or soon, from another thread."""
        loop = self._router.loop
        if threading.get_ident() == self._thread:
            action()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(action)


class _LocalContext(Context):
    """A Context that knows the call which it stands for."""

    __slots__ = ("served",)

    def __init__(self, owner: LocalMethods, call: Call) -> None:
        left = max(0, int((call.deadline - asyncio.get_running_loop().time()) * 1000))
        token = UNSET if call.meta is None else call.meta.progress
        progress = None if token is UNSET else token
        super().__init__(owner, call.method, call.caller_id, call.caller.name, left, progress)
        self.served = call
