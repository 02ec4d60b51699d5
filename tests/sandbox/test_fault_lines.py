"""Faults as values: what they take, when they happen, and the line of text that says it."""

from __future__ import annotations

import pytest

from cadenza_async.sandbox import FAULTS, Fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop-after-commit:5%", Fault("drop", rate=0.05)),
        ("latency:200ms", Fault("latency", seconds=0.2)),
        ("slow-commit:8s:10%", Fault("slow-commit", seconds=8, rate=0.1)),
        ("slow-commit:1%:1.5s@list", Fault("slow-commit", seconds=1.5, rate=0.01, endpoint="list")),
        ("capped-list:7", Fault("capped-list", size=7, endpoint="list")),
        ("gzip-bomb:64MiB", Fault("gzip-bomb", size=64)),
        ("307@login=http://a:1/b=c@d", Fault("307", endpoint="login", target="http://a:1/b=c@d")),
        ("429-before-commit", Fault("429")),
        ("drop@credential-create", Fault("drop", endpoint="credential-create")),
        ("capped-list:2@operations", Fault("capped-list", size=2, endpoint="operations")),
        ("echo-secret", Fault("echo-secret", endpoint="connect")),
    ],
    ids=str,
)
def test_faults_are_read_from_a_line(text: str, fault: Fault) -> None:
    """The text form says what the arguments say."""
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "unknown fault"),
        ("droop", "unknown fault"),
        ("429-after-commit", "unknown fault"),
        ("drop:5", "takes no size"),
        ("drop:1s", "takes no seconds"),
        ("drop=http://127.0.0.1/", "takes no target"),
        ("drop:five%", "no duration"),
        ("drop:", "no duration"),
        ("drop:-5%", "no duration"),
        ("drop:0%", "above 0"),
        ("drop:101%", "at most 1"),
        ("capped-list:1.5", "no duration"),
        ("drop@somewhere", "does not happen at"),
        ("capped-list@connect", "does not happen at 'connect', but at list, operations"),
        ("unhealthy@connect", "does not happen at"),
    ],
)
def test_lines_that_are_no_fault_are_refused(text: str, complaint: str) -> None:
    """What the sandbox cannot play is an error at once, not silence later."""
    with pytest.raises(ValueError, match=complaint):
        Fault.parse(text)


def test_negative_durations_are_refused() -> None:
    """Nothing takes less than no time."""
    with pytest.raises(ValueError, match="negative"):
        Fault("latency", seconds=-1)


def test_every_fault_knows_its_moment() -> None:
    """The usual moment is the first; a name says the moment only where there are two."""
    moments = {Fault(kind).name: Fault(kind).after_commit for kind in FAULTS}
    assert len(moments) == len(FAULTS)
    assert moments["drop-after-commit"]
    assert moments["truncated"]
    assert not moments["hang-before-commit"]
    assert not moments["429"]
    assert Fault("hang-after-commit").after_commit
    assert all(facts.meaning for facts in FAULTS.values())
