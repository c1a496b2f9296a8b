"""Generated from spec/model/protocol.json by sdk/codegen; do not edit."""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

# No members are defined.
Empty: TypeAlias = dict[str, Any]

# Any JSON value.
Value: TypeAlias = Any

# The name of something that plugins share: segments joined by slashes.
ResourceName: TypeAlias = str

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
    events: NotRequired[bool]
    hooks: NotRequired[bool]
    channels: NotRequired[bool]
    memory: NotRequired[bool]
    state: NotRequired[bool]
    locks: NotRequired[bool]


class PluginCapabilities(TypedDict):
    """Optional features of the plugin. Absent means unsupported."""

    meta: NotRequired[bool]
    concurrency: NotRequired[int]
    memory: NotRequired[bool]


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


# A topic, or several: `*` stands for one part, a last `>` for one or more.
TopicPattern: TypeAlias = str


class DeclaredTopic(TypedDict):
    """What a plugin publishes."""

    topic: TopicPattern
    description: NotRequired[str]
    schema: NotRequired[JsonSchema]


# A plugin, by its instance name or by the name that it gives itself.
HookNeighbour: TypeAlias = str

# What a link that fails does to the run.
HookPolicy: TypeAlias = Literal["continue", "fail"]

# Whether a link may change or stop the value, or only sees it.
HookMode: TypeAlias = Literal["change", "observe"]


class HookLink(TypedDict):
    """A plugin's part in one hook."""

    name: ResourceName
    before: NotRequired[list[HookNeighbour]]
    after: NotRequired[list[HookNeighbour]]
    timeoutMs: NotRequired[int]
    onError: NotRequired[HookPolicy]
    mode: NotRequired[HookMode]


class InitializeResult(TypedDict):
    """What a plugin says of itself."""

    protocolVersion: ProtocolVersion
    plugin: Implementation
    capabilities: NotRequired[PluginCapabilities]
    provides: NotRequired[list[ProvidedService]]
    requires: NotRequired[list[RequiredService]]
    events: NotRequired[list[DeclaredTopic]]
    hooks: NotRequired[list[HookLink]]


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


# What an event is about.
Topic: TypeAlias = str

# What an event of its topic is about, for subscriptions that only want the latest.
EventKey: TypeAlias = str

# What happens when a subscription's buffer has no room.
EventPolicy: TypeAlias = Literal["dropOldest", "coalesce", "disconnect", "block"]

# A subscription, at one host.
SubscriptionNumber: TypeAlias = int


class PublishParams(TypedDict):
    """An event to publish."""

    topic: Topic
    data: NotRequired[Value]
    retain: NotRequired[bool]
    key: NotRequired[EventKey]
    hops: NotRequired[int]


class PublishResult(TypedDict):
    """Whom the event has reached."""

    subscribers: int


class SubscribeParams(TypedDict):
    """Which events, and how they come."""

    topic: TopicPattern
    policy: NotRequired[EventPolicy]
    buffer: NotRequired[int]
    window: NotRequired[int]
    replay: NotRequired[int]


class SubscribeResult(TypedDict):
    """A new subscription."""

    subscription: SubscriptionNumber
    declared: bool


class SubscriptionName(TypedDict):
    """Names a subscription."""

    subscription: SubscriptionNumber


class UnsubscribeResult(TypedDict):
    """The end of a subscription."""

    missed: NotRequired[int]


# One event of one subscription.
DeliverParams = TypedDict(
    "DeliverParams",
    {
        "subscription": SubscriptionNumber,
        "seq": int,
        "missed": NotRequired[int],
        "past": NotRequired[bool],
        "topic": Topic,
        "data": NotRequired[Value],
        "from": str,
        "hops": NotRequired[int],
    },
)


class AckParams(TypedDict):
    """How far a plugin has come."""

    subscription: SubscriptionNumber
    seq: int


class EndedParams(TypedDict):
    """The end of a subscription by the host."""

    subscription: SubscriptionNumber
    reason: str
    seq: int
    missed: int


# A declared topic.
TopicDescription = TypedDict(
    "TopicDescription",
    {
        "topic": TopicPattern,
        "from": str,
        "description": NotRequired[str],
        "schema": NotRequired[JsonSchema],
    },
)


class TopicsResult(TypedDict):
    """The topics that are declared now."""

    topics: list[TopicDescription]


class HookName(TypedDict):
    """Names a hook."""

    name: ResourceName


class HookList(TypedDict):
    """The hooks that have links now."""

    hooks: list[ResourceName]


class HookPlace(TypedDict):
    """A link and why it stands where it stands."""

    instance: str
    mode: HookMode
    timeoutMs: int
    onError: HookPolicy
    because: str


class HookOrder(TypedDict):
    """The links of a hook."""

    links: list[HookPlace]


class HookValue(TypedDict):
    """A hook and a value for it."""

    name: ResourceName
    value: Value


# An instance name; "host" for the application itself.
HookRunner: TypeAlias = str


class HookOutcome(TypedDict):
    """How a run ended."""

    value: Value
    ran: list[HookRunner]


class HookStop(TypedDict):
    """Why a run stops."""

    reason: str


class HookAnswer(TypedDict):
    """What a link has to say: at most one of the two."""

    value: NotRequired[Value]
    stop: NotRequired[HookStop]


class HookStoppedData(TypedDict):
    """Who stopped a hook."""

    by: str
    reason: str
    hook: ResourceName


# Names a channel, and is what opens it to those who have it.
ChannelHandle: TypeAlias = str

# What a member does with a channel.
ChannelRole: TypeAlias = Literal["producer", "consumer"]


class ChannelCredit(TypedDict):
    """How much may be sent."""

    items: int
    bytes: int


# A batch of items, in order.
ChannelItems: TypeAlias = list[Value]


class ChannelError(TypedDict):
    """Why a channel was closed, or a membership ended."""

    message: str
    code: NotRequired[int]


class ChannelClosedData(TypedDict):
    """How the channel was closed."""

    error: NotRequired[ChannelError]


class ChannelOpenParams(TypedDict):
    """What the channel shall be like."""

    name: NotRequired[ResourceName]
    capacity: NotRequired[int]
    maxBytes: NotRequired[int]
    redeliver: NotRequired[bool]


class ChannelOpenResult(TypedDict):
    """The channel, with what it is like."""

    channel: ChannelHandle
    capacity: int
    maxBytes: int
    redeliver: bool


class ChannelJoinParams(TypedDict):
    """Which channel, and what to do with it."""

    channel: ChannelHandle
    role: ChannelRole
    credit: NotRequired[ChannelCredit]


class ChannelJoinResult(TypedDict):
    """What a member has to know."""

    credit: ChannelCredit
    maxItemBytes: int
    redeliver: bool


class ChannelSendParams(TypedDict):
    """A batch from a producer."""

    channel: ChannelHandle
    seq: int
    items: ChannelItems


class ChannelDeliverParams(TypedDict):
    """A batch for a consumer."""

    channel: ChannelHandle
    seq: int
    items: ChannelItems
    redelivered: NotRequired[int]


class ChannelCreditParams(TypedDict):
    """More credit."""

    channel: ChannelHandle
    role: ChannelRole
    items: int
    bytes: int


class ChannelAckParams(TypedDict):
    """How far a consumer has come."""

    channel: ChannelHandle
    seq: int


class ChannelLeaveParams(TypedDict):
    """Which membership ends."""

    channel: ChannelHandle
    role: ChannelRole


class ChannelCloseParams(TypedDict):
    """Which channel, and why."""

    channel: ChannelHandle
    error: NotRequired[ChannelError]


class ChannelClosedParams(TypedDict):
    """Which membership has ended, and why."""

    channel: ChannelHandle
    role: ChannelRole
    error: NotRequired[ChannelError]
    taken: NotRequired[int]


# Names a memory; whoever knows it may attach.
MemoryHandle: TypeAlias = str

# The kind of a checksum, and its value.
MemoryChecksum: TypeAlias = str


class MemoryCreateParams(TypedDict):
    """A memory to make."""

    size: int
    leaseMs: NotRequired[int]


class MemoryCreateResult(TypedDict):
    """A new memory; with `path`, or with `channel` for who maps no files."""

    memory: MemoryHandle
    path: NotRequired[str]
    channel: NotRequired[str]
    size: int
    generation: int


class MemoryAttachParams(TypedDict):
    """A memory to read."""

    memory: MemoryHandle
    generation: NotRequired[int]
    leaseMs: NotRequired[int]


class MemoryAttachResult(TypedDict):
    """What was committed; with `path`, or with `channel` for who maps no files."""

    path: NotRequired[str]
    channel: NotRequired[str]
    size: int
    length: int
    generation: int
    checksum: NotRequired[MemoryChecksum]


class MemoryCommitParams(TypedDict):
    """What may be read from now on."""

    memory: MemoryHandle
    length: int
    checksum: NotRequired[MemoryChecksum]


class MemoryCommitResult(TypedDict):
    """The commit."""

    generation: int


class MemoryReleaseParams(TypedDict):
    """A lease to give up."""

    memory: MemoryHandle


class MemoryReleasedParams(TypedDict):
    """A lease that has ended."""

    memory: MemoryHandle
    reason: str


class MemoryChunk(TypedDict):
    """Some bytes of a memory, as an item of a channel."""

    offset: int
    data: str


# Names a watch among those of one plugin.
WatchId: TypeAlias = int


class StateGetParams(TypedDict):
    """Which value to read."""

    key: ResourceName


class StateGetResult(TypedDict):
    """What is there."""

    value: NotRequired[Value]
    revision: int


class LockToken(TypedDict):
    """A lock as it was given to one holder."""

    name: ResourceName
    token: int


class StatePutParams(TypedDict):
    """What to write, and on which conditions."""

    key: ResourceName
    value: Value
    ifRevision: NotRequired[int]
    ifLock: NotRequired[LockToken]
    ttlMs: NotRequired[int]


class StateDeleteParams(TypedDict):
    """What to delete, and on which conditions."""

    key: ResourceName
    ifRevision: NotRequired[int]
    ifLock: NotRequired[LockToken]


class StateChangeResult(TypedDict):
    """The change."""

    revision: int


class StateIncrementParams(TypedDict):
    """What to add, and on which condition."""

    key: ResourceName
    by: NotRequired[int]
    ifLock: NotRequired[LockToken]


class StateIncrementResult(TypedDict):
    """The sum."""

    value: int
    revision: int


class StateListParams(TypedDict):
    """Which keys to list."""

    prefix: NotRequired[str]
    after: NotRequired[str]
    limit: NotRequired[int]
    values: NotRequired[bool]


class StateEntry(TypedDict):
    """One key."""

    key: ResourceName
    revision: int
    value: NotRequired[Value]


class StateListResult(TypedDict):
    """One page of keys."""

    entries: list[StateEntry]
    next: NotRequired[ResourceName]
    revision: int


class StateWatchParams(TypedDict):
    """What to watch."""

    prefix: str
    fromRevision: NotRequired[int]


class StateWatchResult(TypedDict):
    """The watch."""

    watch: WatchId
    revision: int


class StateUnwatchParams(TypedDict):
    """Which watch to end."""

    watch: WatchId


class StateChange(TypedDict):
    """One change of one key."""

    key: ResourceName
    revision: int
    value: NotRequired[Value]
    deleted: NotRequired[bool]


class StateChangedParams(TypedDict):
    """Changes, in the order of their revisions."""

    watch: WatchId
    changes: list[StateChange]


class StateAckParams(TypedDict):
    """What has been taken."""

    watch: WatchId
    revision: int


class StateUnwatchedParams(TypedDict):
    """How a watch ended."""

    watch: WatchId
    reason: str
    revision: int


class LockAcquireParams(TypedDict):
    """Which lock, and for how long."""

    name: ResourceName
    leaseMs: NotRequired[int]
    waitMs: NotRequired[int]
    slots: NotRequired[int]


class LockAcquireResult(TypedDict):
    """The lock is held."""

    token: int
    leaseMs: int


class LockRenewParams(TypedDict):
    """Which lock to keep."""

    name: ResourceName
    token: int
    leaseMs: NotRequired[int]


class LockRenewResult(TypedDict):
    """The lock is kept."""

    leaseMs: int


class LockLostParams(TypedDict):
    """A lock that is no longer held."""

    name: ResourceName
    token: int
    reason: str


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


class ConflictData(TypedDict):
    """What is there instead."""

    revision: int


class PayloadTooLargeData(TypedDict):
    """How large it was, and what would fit."""

    size: int
    limit: int


class UnsupportedProtocolVersionData(TypedDict):
    """Which versions would do."""

    supported: list[ProtocolVersion]
