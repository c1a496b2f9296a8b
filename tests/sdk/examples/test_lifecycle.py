"""Chapter 03: from the first message to the end of the process, and the answers of every state."""

import pytest

from .driver import Conversation
from .subjects import ALIVE, INITIALIZED, LIMITS, PING_ALIVE, Subject, initialize, request

SHUTDOWN = {"jsonrpc": "2.0", "id": "s", "method": "shutdown"}
EXIT = {"jsonrpc": "2.0", "method": "exit"}


@pytest.mark.requirement("LIF-04")
def test_initialize_is_answered_with_what_the_plugin_is(subject: Subject, plugin: Conversation) -> None:
    plugin.send(initialize())
    assert plugin.read_answer() == subject.initialize_result


@pytest.mark.requirement("MAN-05")
def test_the_manifest_promises_what_initialize_says(subject: Subject, plugin: Conversation) -> None:
    plugin.send(initialize())
    result = plugin.read_message()["result"]
    provides = [{**service, "methods": list(service["methods"])} for service in result.get("provides", [])]
    assert provides == subject.manifest.get("provides", [])
    assert result["plugin"] == {"name": subject.manifest["name"], "version": subject.manifest["version"]}


@pytest.mark.requirement("LIF-07", "LIF-11")
def test_another_minor_version_and_unknown_capabilities_are_welcome(plugin: Conversation) -> None:
    plugin.send(initialize(protocolVersion="1.99", capabilities={"teleport": {"x": 1}}, extra=[1.5]))
    assert plugin.read_message()["result"]["protocolVersion"] == "1.0"


@pytest.mark.requirement("LIF-05")
@pytest.mark.parametrize("version", ["0.9", "2.0", "10.0", "99999.99999"])
def test_another_major_version_is_refused_with_those_supported(plugin: Conversation, version: str) -> None:
    plugin.send(initialize(protocolVersion=version), PING_ALIVE)
    assert plugin.read_answer() == '{"code":-32017,"data":{"supported":["1.0"]},"id":0}'
    assert plugin.read_answer() == ALIVE


def test_after_a_refused_version_initialize_may_come_again(subject: Subject, plugin: Conversation) -> None:
    plugin.send(initialize(protocolVersion="2.0"), initialize())
    plugin.read_message()
    assert plugin.read_answer() == subject.initialize_result


@pytest.mark.requirement("ERR-05")
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"protocolVersion": 1}, "$.protocolVersion"),
        ({"protocolVersion": "one"}, "$.protocolVersion"),
        ({"protocolVersion": "1"}, "$.protocolVersion"),
        ({"protocolVersion": "01.0"}, "$.protocolVersion"),
        ({"protocolVersion": "1.0\n"}, "$.protocolVersion"),
        ({"limits": None}, "$.limits"),
        ({"limits": LIMITS | {"maxFrameBytes": 4095}}, "$.limits.maxFrameBytes"),
        ({"limits": LIMITS | {"maxFrameBytes": "9999"}}, "$.limits.maxFrameBytes"),
        ({"limits": LIMITS | {"maxDepth": 513}}, "$.limits.maxDepth"),
        ({"limits": LIMITS | {"maxDepth": 16.5}}, "$.limits.maxDepth"),
    ],
)
def test_wrong_initialize_params_are_told_with_their_path(
    subject: Subject, plugin: Conversation, changes: dict[str, object], path: str
) -> None:
    plugin.send(initialize(**changes), initialize())
    error = plugin.read_message()["error"]
    assert error["code"] == -32602
    assert [problem["path"] for problem in error["data"]["problems"]] == [path]
    assert plugin.read_answer() == subject.initialize_result


@pytest.mark.requirement("LIF-01")
def test_a_request_before_the_connection_is_ready_is_not_served(subject: Subject, plugin: Conversation) -> None:
    call = request(7, subject.method, **subject.wrong_params)
    plugin.send(call, request(8, "no/such"), SHUTDOWN, initialize(), call, request(8, "no/such"), SHUTDOWN)
    refused = ['{"code":-32002,"id":7}', '{"code":-32002,"id":8}', '{"code":-32002,"id":"s"}']
    assert [plugin.read_answer() for _ in range(7)] == [*refused, subject.initialize_result, *refused]


@pytest.mark.requirement("LIF-01")
def test_a_second_initialize_is_an_invalid_request_in_every_state(plugin: Conversation) -> None:
    again = initialize() | {"id": "again"}
    plugin.send(initialize(), again, INITIALIZED, again, SHUTDOWN, again)
    plugin.read_message()
    expected = ['{"code":-32600,"id":"again"}'] * 2 + ['{"id":"s","result":null}', '{"code":-32600,"id":"again"}']
    assert [plugin.read_answer() for _ in range(4)] == expected


@pytest.mark.requirement("LIF-18")
def test_ping_is_answered_in_every_state(subject: Subject, plugin: Conversation) -> None:
    plugin.send(PING_ALIVE, initialize(), PING_ALIVE, INITIALIZED, PING_ALIVE, SHUTDOWN, PING_ALIVE)
    expected = [ALIVE, subject.initialize_result, ALIVE, ALIVE, '{"id":"s","result":null}', ALIVE]
    assert [plugin.read_answer() for _ in range(6)] == expected


@pytest.mark.requirement("LIF-02")
def test_initialized_before_initialize_is_ignored(subject: Subject, plugin: Conversation) -> None:
    plugin.send(INITIALIZED, request(1, subject.method))
    assert plugin.read_answer() == '{"code":-32002,"id":1}'


@pytest.mark.requirement("LIF-01", "LIF-13")
def test_after_shutdown_no_request_is_served(subject: Subject, ready_plugin: Conversation) -> None:
    ready_plugin.send(SHUTDOWN, request(1, subject.method), SHUTDOWN)
    expected = ['{"id":"s","result":null}', '{"code":-32002,"id":1}', '{"code":-32002,"id":"s"}']
    assert [ready_plugin.read_answer() for _ in range(3)] == expected


@pytest.mark.requirement("LIF-15")
def test_exit_after_shutdown_ends_with_code_0(ready_plugin: Conversation) -> None:
    ready_plugin.send(SHUTDOWN, EXIT)
    assert ready_plugin.read_answer() == '{"id":"s","result":null}'
    assert ready_plugin.wait_end() == 0


@pytest.mark.requirement("LIF-15")
def test_exit_without_shutdown_ends_with_code_1(ready_plugin: Conversation) -> None:
    ready_plugin.send(EXIT)
    assert ready_plugin.wait_end() == 1


@pytest.mark.requirement("LIF-15")
def test_a_refused_shutdown_counts_for_nothing_at_exit(plugin: Conversation) -> None:
    plugin.send(SHUTDOWN, EXIT)
    assert plugin.read_answer() == '{"code":-32002,"id":"s"}'
    assert plugin.wait_end() == 1


@pytest.mark.requirement("MSG-17")
def test_a_whole_conversation_may_come_in_one_write(subject: Subject, plugin: Conversation) -> None:
    plugin.send(initialize(), INITIALIZED, request(1, subject.method), SHUTDOWN, EXIT)
    plugin.close_input()
    assert plugin.read_answer() == subject.initialize_result
    assert plugin.read_message()["error"]["code"] == -32602
    assert plugin.read_answer() == '{"id":"s","result":null}'
    assert plugin.wait_end() == 0


def test_nothing_is_answered_after_exit(ready_plugin: Conversation) -> None:
    ready_plugin.send(EXIT, PING_ALIVE)
    assert ready_plugin.wait_end() == 1


@pytest.mark.requirement("LIF-16")
def test_end_of_input_without_shutdown_ends_with_code_1(ready_plugin: Conversation) -> None:
    ready_plugin.close_input()
    assert ready_plugin.wait_end() == 1


@pytest.mark.requirement("LIF-16")
def test_end_of_input_before_anything_was_said_ends_with_code_1(plugin: Conversation) -> None:
    plugin.close_input()
    assert plugin.wait_end() == 1


@pytest.mark.requirement("LIF-16")
def test_end_of_input_after_shutdown_ends_with_code_0(ready_plugin: Conversation) -> None:
    ready_plugin.send(SHUTDOWN)
    ready_plugin.close_input()
    assert ready_plugin.read_answer() == '{"id":"s","result":null}'
    assert ready_plugin.wait_end() == 0


@pytest.mark.requirement("CAL-06")
@pytest.mark.parametrize(
    "method", ["no/such", "x:ping", "ping\0", "Ping", "ping ", "constructor", "exit", "initialized"]
)
def test_an_unknown_method_is_not_found(ready_plugin: Conversation, method: str) -> None:
    ready_plugin.send(request(1, method), PING_ALIVE)
    assert ready_plugin.read_answer() == '{"code":-32601,"id":1}'
    assert ready_plugin.read_answer() == ALIVE


@pytest.mark.requirement("ERR-05")
def test_wrong_params_are_told_with_their_path(subject: Subject, ready_plugin: Conversation) -> None:
    wrong, absent = request(1, subject.method, **subject.wrong_params), request(2, subject.method)
    ready_plugin.send(wrong, absent)
    for expected_id in (1, 2):
        message = ready_plugin.read_message()
        assert message["id"] == expected_id
        assert message["error"]["code"] == -32602
        (problem,) = message["error"]["data"]["problems"]
        assert problem["path"] == subject.wrong_path
        assert problem["message"].startswith("expected a string")


@pytest.mark.requirement("MSG-04")
def test_absent_params_are_an_empty_object(subject: Subject, ready_plugin: Conversation) -> None:
    ready_plugin.send({"jsonrpc": "2.0", "id": 1, "method": subject.method})
    assert ready_plugin.read_message()["error"]["data"]["problems"][0]["path"] == subject.wrong_path
