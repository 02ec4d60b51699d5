"""Connect many accounts exactly once, with a journal to go on from."""

from cadenza_async.onboarding._handle import Onboarding, onboard
from cadenza_async.onboarding._reader import JournalReader, JournalRow
from cadenza_async.onboarding._states import RowOutcome, RowState

__all__ = ["JournalReader", "JournalRow", "Onboarding", "RowOutcome", "RowState", "onboard"]
