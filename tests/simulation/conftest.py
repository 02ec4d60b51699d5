"""How much of the simulation is run: a little by default, as much as is asked for otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_SEEDS = 28
_JOBS = 16
_REFERENCES = 5
_ANSWERS = 1_000
_CHUNK = 250


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they are there when pytest is given this directory."""
    parser.addoption("--seeds", type=int, help="worlds to simulate, of each kind")
    parser.addoption("--answers", type=int, default=_ANSWERS, help="mutated answers to give")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make every seed, and every few answers, a test of its own."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(_option(metafunc, "seeds", _SEEDS)))
    if "job_seed" in metafunc.fixturenames:
        metafunc.parametrize("job_seed", range(_option(metafunc, "seeds", _JOBS)))
    if "reference_seed" in metafunc.fixturenames:
        metafunc.parametrize("reference_seed", range(_option(metafunc, "seeds", _REFERENCES)))
    if "answers" in metafunc.fixturenames:
        number = _option(metafunc, "answers", _ANSWERS)
        chunks = [range(first, first + _CHUNK) for first in range(0, number, _CHUNK)]
        metafunc.parametrize("answers", chunks, ids=lambda chunk: f"{chunk.start}-{chunk.stop}")


def _option(metafunc: pytest.Metafunc, name: str, default: int) -> int:
    return metafunc.config.getoption(name, default) or default
