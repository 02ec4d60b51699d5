"""What is checked and measured: `nox` checks all, `nox -l` lists all, `nox -s NAME` does one.

Tests run against the package as users will have it installed, never against the checkout.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.16"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False  # the tests run on every Python there is
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = True  # what went wrong is what is read last

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
EXTRAS = ("cli", "keyring", "sandbox")
PACKAGE = f".[{','.join(EXTRAS)}]"
PARALLEL = ("--numprocesses", str(max(4, os.cpu_count() or 1)))  # tests wait as much as they work
SINGLE_CALLS = ("tests/unit", "tests/wire", "tests/clients", "tests/sandbox", "tests/cli")
LONG = ("tests/cli", "tests/cli_onboard", "tests/leaks", "tests/plugin", "tests/simulation")
NEEDS = [
    *PYPROJECT["project"]["dependencies"],
    *(need for each in EXTRAS for need in PYPROJECT["project"]["optional-dependencies"][each]),
]


def group(name: str) -> tuple[str, ...]:
    """Read a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


def show_pythons_of_pyenv() -> None:
    """Make every Python that pyenv has installed visible, not only those switched on."""
    if (pyenv := shutil.which("pyenv")) and "PYENV_VERSION" not in os.environ:
        listed = subprocess.check_output([pyenv, "versions", "--bare"], text=True)
        ours = [name for name in listed.split() if name.rpartition(".")[0] in PYTHONS]
        os.environ["PYENV_VERSION"] = ":".join(ours)


show_pythons_of_pyenv()
os.environ["PYTHONSAFEPATH"] = "1"  # or the checkout would hide the installed package
os.environ["UV_COMPILE_BYTECODE"] = "1"  # once, and not in each process that a test starts

# The newest there is: older ones trace more slowly, and 3.11 has no loops that begin tasks at once.
COVERED = next((name for name in PYTHONS[::-1] if shutil.which(f"python{name}")), PYTHONS[0])
nox.options.sessions = ["lint", "typing", "coverage", "floors", "docs"]
nox.options.sessions += [f"tests-{name}" for name in PYTHONS[1:] if name != COVERED]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, and that imports point down."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types with mypy and pyright: ours, and what users are to see."""
    session.install(PACKAGE, *group("typing"))
    session.run("mypy")
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests but for the longest, which `coverage` runs.

    What follows `--` goes to pytest, and then it runs what it is told to.
    """
    session.install(PACKAGE, *group("test"))
    chosen = session.posargs or [f"--ignore={folder}" for folder in LONG]
    session.run("pytest", *PARALLEL, *chosen)


@nox.session(python=COVERED)
def coverage(session: nox.Session) -> None:
    """Run the tests, and report what they reached."""
    session.install(PACKAGE, *group("test"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *PARALLEL, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(python=PYTHONS[0])
def floors(session: nox.Session) -> None:
    """Run the tests of single calls on the oldest Python, with the oldest dependencies."""
    floors = [re.sub(r">=([\d.]+).*", r"==\1", need) for need in NEEDS]
    session.install(PACKAGE, *group("test"), *floors)
    session.run("pytest", *PARALLEL, *SINGLE_CALLS, *session.posargs)


@nox.session
def simulate(session: nox.Session) -> None:
    """Simulate bad weather: `-- --seeds 1000` worlds, `-- --answers 100000` mutated answers."""
    session.install(PACKAGE, *group("test"))
    session.run("pytest", "tests/simulation", *PARALLEL, *session.posargs)


@nox.session(reuse_venv=False)
def docs(session: nox.Session) -> None:
    """Build what is published, and run the README's blocks against it."""
    session.install(*group("docs"), *group("test"))
    built = Path(session.create_tmp())
    session.run("python", "-m", "build", "--installer", "uv", "--outdir", str(built))
    session.run("twine", "check", "--strict", *map(str, built.iterdir()))
    (wheel,) = built.glob("*.whl")
    session.install(f"{wheel}[{','.join(EXTRAS)}]")
    session.run("pytest", "tests/test_readme.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what calls cost beside rivals; `-- --help` tells how to measure less."""
    session.install(PACKAGE, *group("bench"))
    session.run("python", "benchmarks", *session.posargs)


@nox.session
def bench_onboarding(session: nox.Session) -> None:
    """Measure bulk onboarding: `-- rate_limit`, `-- beside_a_loop` or `-- many_rows`."""
    if not session.posargs:
        session.error("say what: -- rate_limit, -- beside_a_loop or -- many_rows")
    session.install(PACKAGE, *group("bench"))
    script, *options = session.posargs
    here = {"PYTHONSAFEPATH": ""}  # the scripts have a neighbour
    session.run("python", f"benchmarks/{script}.py", *options, env=here)
