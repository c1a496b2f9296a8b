"""Generated from spec/model/protocol.json by sdk/codegen; do not edit."""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

# No members are defined.
Empty: TypeAlias = dict[str, Any]

# The JSON value null.
Nothing: TypeAlias = None

# An id that is a number.
IntegerId: TypeAlias = int

# An id that is a string.
StringId: TypeAlias = str

# Identifies a request among those that its sender has open.
RequestId: TypeAlias = IntegerId | StringId

# Chosen by a caller to recognise the progress of one call.
ProgressToken: TypeAlias = IntegerId | StringId

# Major and minor version of this protocol.
ProtocolVersion: TypeAlias = str

# The name of a plugin at one host.
InstanceName: TypeAlias = str

# The name of a service.
ServiceName: TypeAlias = str

# One to three numbers, most significant first.
ServiceVersion: TypeAlias = str

# Comparisons joined by commas, all of which hold.
VersionRange: TypeAlias = str

# A method's name within its service.
MethodName: TypeAlias = str


class Implementation(TypedDict):
    """A program and its version, for people to read."""

    name: str
    version: str


class Limits(TypedDict):
    """What the host allows on this connection."""

    maxFrameBytes: int
    maxDepth: int
    maxInFlight: int


class HostCapabilities(TypedDict):
    """Optional features of the host. Absent means unsupported."""

    meta: NotRequired[bool]
    log: NotRequired[bool]
    services: NotRequired[bool]


class PluginCapabilities(TypedDict):
    """Optional features of the plugin. Absent means unsupported."""

    meta: NotRequired[bool]
    concurrency: NotRequired[int]


# The plugin's configuration; its shape is the plugin's own.
Config: TypeAlias = dict[str, Any]

# What the plugin is allowed to do; a later chapter gives the members.
Grants: TypeAlias = dict[str, Any]


class Paths(TypedDict):
    """Folders set apart for this plugin. The plugin creates those that it uses."""

    data: NotRequired[str]
    cache: NotRequired[str]
    runtime: NotRequired[str]


class InitializeParams(TypedDict):
    """What a host says of itself."""

    protocolVersion: ProtocolVersion
    host: Implementation
    instance: InstanceName
    processId: NotRequired[int]
    capabilities: HostCapabilities
    limits: Limits
    config: NotRequired[Config]
    grants: NotRequired[Grants]
    paths: NotRequired[Paths]


# Names of methods.
MethodNames: TypeAlias = list[MethodName]

# A JSON Schema, draft 2020-12.
JsonSchema: TypeAlias = dict[str, Any]


class MethodDescription(TypedDict):
    """What a caller may know about a method."""

    description: NotRequired[str]
    idempotent: NotRequired[bool]
    params: NotRequired[JsonSchema]
    result: NotRequired[JsonSchema]


# Methods by name.
MethodTable: TypeAlias = dict[MethodName, MethodDescription]

# The methods of a service: just their names, or a description of each.
ProvidedMethods: TypeAlias = MethodNames | MethodTable


class ProvidedService(TypedDict):
    """A service and its methods."""

    service: ServiceName
    version: NotRequired[ServiceVersion]
    methods: ProvidedMethods


class RequiredService(TypedDict):
    """A service that a plugin calls."""

    service: ServiceName
    version: NotRequired[VersionRange]
    optional: NotRequired[bool]


class InitializeResult(TypedDict):
    """What a plugin says of itself."""

    protocolVersion: ProtocolVersion
    plugin: Implementation
    capabilities: NotRequired[PluginCapabilities]
    provides: NotRequired[list[ProvidedService]]
    requires: NotRequired[list[RequiredService]]


# Context of a request, beside its params.
Meta = TypedDict(
    "Meta",
    {
        "from": NotRequired[str],
        "parent": NotRequired[RequestId],
        "deadlineMs": NotRequired[int],
        "progress": NotRequired[ProgressToken],
        "traceparent": NotRequired[str],
        "tracestate": NotRequired[str],
    },
)


class CancelParams(TypedDict):
    """Names the request to stop."""

    id: RequestId


class ProgressValue(TypedDict):
    """How far a request has come. A method may add members of its own."""

    done: NotRequired[float]
    total: NotRequired[float]
    message: NotRequired[str]


class ProgressParams(TypedDict):
    """One step of progress."""

    token: ProgressToken
    value: ProgressValue


class ServiceDescription(TypedDict):
    """One provider of one service."""

    service: ServiceName
    version: ServiceVersion
    instance: str
    methods: MethodTable


class ServiceListResult(TypedDict):
    """The services that can be called now."""

    services: list[ServiceDescription]


# Whether a provider can be called.
ServiceState: TypeAlias = str


class ServiceChangedParams(TypedDict):
    """A service has come or gone."""

    service: ServiceName
    version: ServiceVersion
    instance: str
    state: ServiceState


# How much a record matters.
LogLevel: TypeAlias = str

# Details of a log record; its members are the plugin's own.
LogData: TypeAlias = dict[str, Any]


class LogParams(TypedDict):
    """One log record."""

    level: LogLevel
    message: str
    data: NotRequired[LogData]


# What is known of a call whose callee ended: it never left the host, it may have been read, or the callee had begun it.
Delivery: TypeAlias = Literal["no", "maybe", "started"]


class ParamProblem(TypedDict):
    """One wrong place."""

    path: str
    message: str


class InvalidParamsData(TypedDict):
    """What was wrong with the params."""

    problems: list[ParamProblem]


class PluginUnavailableData(TypedDict):
    """Which plugin cannot be called."""

    instance: str
    reason: str


class PluginCrashedData(TypedDict):
    """How the callee ended, and what is known of the call."""

    instance: str
    delivered: Delivery
    status: NotRequired[str]


class DeadlineExceededData(TypedDict):
    """Whose time ran out."""

    instance: NotRequired[str]
    timeoutMs: NotRequired[int]


class OverloadedData(TypedDict):
    """Which queue is full."""

    instance: NotRequired[str]
    limit: int


# An instance name.
CycleMember: TypeAlias = str


class CallCycleData(TypedDict):
    """The way round."""

    path: list[CycleMember]


class PayloadTooLargeData(TypedDict):
    """How large it was, and what would fit."""

    size: int
    limit: int


class UnsupportedProtocolVersionData(TypedDict):
    """Which versions would do."""

    supported: list[ProtocolVersion]
