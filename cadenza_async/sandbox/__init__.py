"""An embedded Cadenza to develop and test against, written from the contract alone."""

from cadenza_async.sandbox._catalogue import FAULTS, FaultKind
from cadenza_async.sandbox._exchange import TEST_KEYS, KeyBehaviour
from cadenza_async.sandbox._faults import Fault
from cadenza_async.sandbox._records import StateError
from cadenza_async.sandbox._server import Sandbox

__all__ = ["FAULTS", "TEST_KEYS", "Fault", "FaultKind", "KeyBehaviour", "Sandbox", "StateError"]
