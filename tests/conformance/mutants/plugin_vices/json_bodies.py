"""Plugins that read JSON in another way than chapter 02 has it."""

import json
import os
import unicodedata

from tests.conformance.mutants.vices import vice

#: Every case that wants ParseError.
REFUSING = (
    "framing/empty-body",
    "json/no-json-value",
    "json/no-json-body",
    "json/something-behind",
    "json/bad-utf-8",
    "json/byte-order-mark",
    "json/other-encodings",
    "json/lone-surrogate",
    "json/too-deep",
    "json/far-too-deep",
    "robustness/flood-of-bad-bodies",
)


@vice("plugin", "no-exponents", kills=("json/every-value",), because="MSG-22")
def no_exponents(reference):
    class Vice(reference):
        def parse_float(self, digits):
            if "e" in digits or "E" in digits:
                raise ValueError("what is an e doing here")
            return super().parse_float(digits)

    return Vice


@vice("plugin", "counts-brackets-in-strings", kills=("json/every-value",), because="MSG-22")
def counts_brackets_in_strings(reference):
    class Vice(reference):
        def check_depth(self, body):
            if body.count(b"[") - body.count(b"]") > self.limits["maxDepth"]:
                raise ValueError("nested too deeply")
            super().check_depth(body)

    return Vice


@vice("plugin", "looks-for-members-in-the-text", kills=("json/spelling",), because="MSG-22")
def looks_for_members_in_the_text(reference):
    class Vice(reference):
        def decode(self, body):
            message = super().decode(body)
            if isinstance(message, dict) and message.get("method") == "ping" and b'"ping"' not in body:
                raise ValueError("where is the method")
            return message

    return Vice


@vice("plugin", "takes-nan", kills=("json/no-json-value",), because="MSG-22")
def takes_nan(reference):
    class Vice(reference):
        def refuse_constant(self, name):
            return float(name)

    return Vice


@vice("plugin", "takes-raw-control-characters", kills=("json/no-json-value",), because="MSG-22")
def takes_raw_control_characters(reference):
    class Vice(reference):
        def parse(self, text):
            value = json.loads(
                text,
                strict=False,
                parse_constant=self.refuse_constant,
                parse_int=self.parse_int,
                parse_float=self.parse_float,
            )
            if "\\u" in text:
                self.check_surrogates(value)
            return value

    return Vice


@vice("plugin", "takes-trailing-commas", kills=("json/no-json-value", "json/no-json-body"), because="MSG-22")
def takes_trailing_commas(reference):
    class Vice(reference):
        def parse(self, text):
            return super().parse(text.replace(",]", "]").replace(",}", "}"))

    return Vice


@vice("plugin", "mends-cut-messages", kills=("json/no-json-body",), because="MSG-22")
def mends_cut_messages(reference):
    class Vice(reference):
        def parse(self, text):
            return super().parse(text + "}" if text.endswith('"ping"') else text)

    return Vice


@vice("plugin", "reads-only-the-first-value", kills=("json/something-behind",), because="MSG-22")
def reads_only_the_first_value(reference):
    class Vice(reference):
        def parse(self, text):
            start = len(text) - len(text.lstrip(" \t\r\n"))
            end = json.JSONDecoder().raw_decode(text, start)[1]
            return super().parse(text[:end])

    return Vice


@vice("plugin", "ignores-nuls-behind", kills=("json/something-behind",), because="MSG-22")
def ignores_nuls_behind(reference):
    class Vice(reference):
        def to_text(self, body):
            return super().to_text(body).rstrip("\0")

    return Vice


@vice("plugin", "repairs-utf-8", kills=("json/bad-utf-8",), because="MSG-21")
def repairs_utf8(reference):
    class Vice(reference):
        def to_text(self, body):
            if body.startswith(b"\xef\xbb\xbf"):
                raise ValueError("a byte order mark")
            return body.decode("utf-8", "replace")

    return Vice


@vice("plugin", "takes-encoded-surrogates", kills=("json/bad-utf-8",), because="MSG-21")
def takes_encoded_surrogates(reference):
    class Vice(reference):
        def to_text(self, body):
            return body.decode("utf-8", "surrogatepass") if b"\xed" in body else super().to_text(body)

    return Vice


@vice("plugin", "drops-a-byte-order-mark", kills=("json/byte-order-mark",), because="MSG-21")
def drops_a_byte_order_mark(reference):
    class Vice(reference):
        def to_text(self, body):
            return body.decode("utf-8-sig")

    return Vice


@vice(
    "plugin",
    "guesses-the-encoding",
    kills=("json/other-encodings", "json/byte-order-mark", "json/bad-utf-8"),
    because="MSG-21",
)
def guesses_the_encoding(reference):
    class Vice(reference):
        def to_text(self, body):
            return body.decode(json.detect_encoding(body), "surrogatepass")

    return Vice


@vice("plugin", "takes-lone-surrogates", kills=("json/lone-surrogate", "everywhere/valid-json"), because="MSG-23")
def takes_lone_surrogates(reference):
    class Vice(reference):
        def check_surrogates(self, value):
            pass

        def encode(self, message):
            return json.dumps(message, separators=(",", ":")).encode()

    return Vice


@vice("plugin", "looks-for-surrogates-in-values-alone", kills=("json/lone-surrogate",), because="MSG-23")
def looks_for_surrogates_in_values_alone(reference):
    class Vice(reference):
        def check_surrogates(self, value):
            if isinstance(value, dict):
                value = list(value.values())
            if isinstance(value, list):
                for part in value:
                    self.check_surrogates(part)
            else:
                super().check_surrogates(value)

    return Vice


@vice("plugin", "stops-one-level-early", kills=("json/deepest",), because="MSG-24")
def stops_one_level_early(reference):
    return _with_depth(reference, lambda limit: limit - 1)


@vice("plugin", "stops-one-level-late", kills=("json/too-deep",), because="MSG-24")
def stops_one_level_late(reference):
    return _with_depth(reference, lambda limit: limit + 1)


@vice("plugin", "has-a-depth-of-its-own", kills=("json/deepest", "json/too-deep"), because="MSG-24")
def has_a_depth_of_its_own(reference):
    return _with_depth(reference, lambda limit: 128)


@vice("plugin", "dies-of-deep-bodies", kills=("json/far-too-deep",), because="FRM-11")
def dies_of_deep_bodies(reference):
    class Vice(reference):
        def check_depth(self, body):
            if body.count(b"[") + body.count(b"{") > 50_000:
                os._exit(3)
            super().check_depth(body)

    return Vice


@vice("plugin", "dies-of-large-numbers", kills=("json/large-numbers", "json/large-numbers-back"), because="FRM-11")
def dies_of_large_numbers(reference):
    class Vice(reference):
        def parse_float(self, digits):
            if float(digits) in (float("inf"), float("-inf")):
                raise OverflowError("a number that cannot be held")
            return float(digits)

    return Vice


@vice(
    "plugin",
    "writes-infinity",
    kills=("json/large-numbers-back", "everywhere/valid-json"),
    because=("MSG-22", "FRM-11"),
)
def writes_infinity(reference):
    class Vice(reference):
        def parse_float(self, digits):
            return float(digits)

        def encode(self, message):
            return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    return Vice


@vice("plugin", "composes-letters", kills=("json/texts-kept",), because="MSG-21")
def composes_letters(reference):
    class Vice(reference):
        def echo(self, params):
            return json.loads(unicodedata.normalize("NFC", json.dumps(params, ensure_ascii=False)))

    return Vice


@vice("plugin", "cuts-texts-at-nul", kills=("json/texts-kept",), because="MSG-21")
def cuts_texts_at_nul(reference):
    class Vice(reference):
        def echo(self, params):
            return {
                name: value.partition("\0")[0] if isinstance(value, str) else value for name, value in params.items()
            }

    return Vice


@vice("plugin", "makes-lists-of-empty-objects", kills=("json/values-kept",), because="MSG-22")
def makes_lists_of_empty_objects(reference):
    class Vice(reference):
        def echo(self, params):
            return {name: value if value != {} else [] for name, value in params.items()}

    return Vice


@vice("plugin", "leaves-out-nulls", kills=("json/values-kept",), because="MSG-22")
def leaves_out_nulls(reference):
    class Vice(reference):
        def echo(self, params):
            return {name: value for name, value in params.items() if value is not None}

    return Vice


@vice("plugin", "says-invalid-request-for-no-json", kills=REFUSING, because="MSG-26")
def says_invalid_request_for_no_json(reference):
    return _answering(reference, {"code": -32600, "message": "the body is no message"})


@vice(
    "plugin",
    "finds-an-id-in-no-json",
    kills=(*REFUSING, "everywhere/ids-of-answers", "everywhere/one-answer"),
    because=("MSG-26", "MSG-13", "MSG-17"),
)
def finds_an_id_in_no_json(reference):
    class Vice(reference):
        def take_body(self, body):
            try:
                message = self.decode(body)
            except (ValueError, RecursionError):
                self.send_error("sample", {"code": -32700, "message": "the body is no JSON"})
                return
            self.take_message(message)

    return Vice


@vice(
    "plugin",
    "is-silent-about-no-json",
    kills=(*REFUSING, "json/large-numbers", "json/large-numbers-back"),
    because=("MSG-21", "MSG-22", "MSG-23", "MSG-24", "MSG-26", "FRM-11"),
)
def is_silent_about_no_json(reference):
    return _answering(reference, None)


def _answering(reference, error):
    class Vice(reference):
        def take_body(self, body):
            try:
                message = self.decode(body)
            except (ValueError, RecursionError):
                if error:
                    self.send_error(None, error)
                return
            self.take_message(message)

    return Vice


def _with_depth(reference, change):
    class Vice(reference):
        def check_depth(self, body):
            limit = self.limits["maxDepth"]
            self.limits["maxDepth"] = change(limit)
            try:
                super().check_depth(body)
            finally:
                self.limits["maxDepth"] = limit

    return Vice
