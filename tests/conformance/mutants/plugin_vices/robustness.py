"""Plugins that do well with little and give way under much."""

import os

from tests.conformance.mutants.plugin_vices.json_bodies import REFUSING
from tests.conformance.mutants.vices import vice


@vice(
    "plugin",
    "writes-as-much-as-a-pipe-holds",
    kills=("robustness/both-ways-at-once", "framing/whole-frames", "everywhere/whole-frames"),
    because=("MSG-17", "FRM-03", "FRM-04"),
)
def writes_as_much_as_a_pipe_holds(reference):
    class Vice(reference):
        def write_frame(self, body):
            data = self.frame(body)[:65536]
            with self.writing:
                while data:
                    data = data[os.write(self.output, data) :]

    return Vice


@vice("plugin", "cannot-answer-at-length", kills=("robustness/both-ways-at-once",), because="MSG-17")
def cannot_answer_at_length(reference):
    class Vice(reference):
        def echo(self, params):
            return params if len(str(params)) < 500_000 else {"text": "..."}

    return Vice


@vice("plugin", "dies-of-a-long-name", kills=("robustness/large-messages",), because="FRM-11")
def dies_of_a_long_name(reference):
    class Vice(reference):
        def take_message(self, message):
            if isinstance(message, dict) and any(len(name) > 65535 for name in (*message, str(message.get("method")))):
                os._exit(3)
            super().take_message(message)

    return Vice


@vice("plugin", "ends-after-1000-notifications", kills=("robustness/flood-of-notifications",), because="MSG-18")
def ends_after_1000_notifications(reference):
    class Vice(reference):
        count = 0

        def notified(self, method, params):
            self.count += 1
            if self.count > 1000:
                os._exit(3)
            super().notified(method, params)

    return Vice


@vice("plugin", "ends-after-100-errors", kills=("robustness/flood-of-bad-bodies",), because=("FRM-11", "MSG-26"))
def ends_after_100_errors(reference):
    class Vice(reference):
        count = 0

        def send_error(self, id, error):  # noqa: A002 - as the reference has it
            super().send_error(id, error)
            self.count += id is None
            if self.count > 100:
                os._exit(3)

    return Vice


@vice(
    "plugin",
    "ends-at-what-is-no-json",
    kills=(
        *REFUSING,
        "framing/error-inside",
        "robustness/changed-bytes",
        "json/large-numbers",
        "json/large-numbers-back",
    ),
    because="FRM-11",
)
def ends_at_what_is_no_json(reference):
    class Vice(reference):
        def take_body(self, body):
            try:
                self.decode(body)
            except (ValueError, RecursionError):
                os._exit(3)
            super().take_body(body)

    return Vice


@vice("plugin", "dies-of-bytes-that-are-no-text", kills=("framing/error-inside", "json/bad-utf-8"), because="FRM-11")
def dies_of_bytes_that_are_no_text(reference):
    class Vice(reference):
        def to_text(self, body):
            try:
                return super().to_text(body)
            except UnicodeDecodeError:
                os._exit(3)

    return Vice
