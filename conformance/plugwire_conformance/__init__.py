"""The conformance suite of the plugwire protocol: it checks plugins and hosts from outside, by what they say and do.

It stands alone: nothing here imports the SDK or the host, so that no mistake is shared with what it checks.
"""

__version__ = "0.1.0"

#: The version of the protocol whose sentences the cases check.
SPEC_VERSION = "1.0"
