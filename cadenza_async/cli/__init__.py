"""The command line: names, options and help. Nothing else is loaded before it is needed."""

from __future__ import annotations

from functools import partial

import typer

from cadenza_async import __version__
from cadenza_async.cli import _options as options  # noqa: TC001  # typer reads the annotations
from cadenza_async.cli._accounts_menu import accounts
from cadenza_async.cli._credentials_menu import credentials

app = typer.Typer(
    name="cadenza",
    epilog=(
        "Exit codes: 0 done, 1 refused by Cadenza, 2 wrong usage, 3 outcome unknown, 4 not sent "
        "(network, deadline), 130 interrupted, 143 terminated."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts, name="accounts")
app.add_typer(credentials, name="credentials")


@app.callback(invoke_without_command=True)
def cadenza(*, version: options.Version = False) -> None:
    """Connect exchange trading accounts to Cadenza."""
    if version:
        typer.echo(f"cadenza_async {__version__}")
        raise typer.Exit


@app.command()
def demo(*, accounts: options.DemoAccounts = None) -> None:
    """See it work: connect, be refused, list and disconnect in a sandbox of its own."""
    if accounts is not None:
        from cadenza_async.cli import _demo_onboard

        _demo_onboard.demo(accounts)
        return
    from cadenza_async.cli import _demo

    _demo.demo()


@app.command()
def connect(
    *,
    venue: options.Venue,
    name: options.Name = None,
    account_type: options.AccountType = None,
    credentials: options.Credentials = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Connect an exchange account.

    The keys come from --credentials; else from CADENZA_API_KEY,
    CADENZA_API_SECRET and CADENZA_API_PASSPHRASE; else from standard input,
    if it is no terminal; else they are asked for without echo. They are
    never taken from the argument list.
    """
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    _accounts.connect(
        Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json),
        venue=venue,
        name=name,
        account_type=account_type,
        credentials=credentials,
    )


@app.command()
def disconnect(
    trading_account_id: options.AccountId,
    *,
    yes: options.Yes = False,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Disconnect an account for good; open orders are not cancelled."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.disconnect(target, trading_account_id, sure=yes)


@app.command()
def login(
    *,
    email: options.Email = None,
    password_file: options.PasswordFile = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    timeout: options.Timeout = None,
) -> None:
    """Begin a session, and store it in the keyring for the commands that follow.

    They use and refresh it wherever CADENZA_ACCESS_TOKEN is not set; there is
    one for each base URL.
    """
    from cadenza_async.cli import _session
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, timeout=timeout, json=json)
    _session.login(target, email=email, password_file=password_file)


@app.command()
def logout(
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    timeout: options.Timeout = None,
) -> None:
    """End the stored session, and remove it from the keyring."""
    from cadenza_async.cli import _session
    from cadenza_async.cli._client import Target

    _session.logout(Target(base_url=base_url, timeout=timeout, json=json))


@app.command()
def user(
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    timeout: options.Timeout = None,
) -> None:
    """Show who is logged in, or whose the access token is."""
    from cadenza_async.cli import _session
    from cadenza_async.cli._client import Target

    _session.user(Target(base_url=base_url, timeout=timeout, json=json))


@app.command()
def health(
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    timeout: options.Timeout = None,
) -> None:
    """Show how Cadenza is. No token is needed.

    Exit codes: 0 if it is healthy or degraded, 1 if not.
    """
    from cadenza_async.cli import _session
    from cadenza_async.cli._client import Target

    _session.health(Target(base_url=base_url, timeout=timeout, json=json))


@app.command()
def onboard(
    rows: options.Rows = None,
    *,
    tokens: options.Tokens = None,
    journal: options.Journal = None,
    reports: options.Reports = None,
    dry_run: options.DryRun = False,
    status: options.Status = None,
    retry_failed: options.RetryFailed = False,
    unique_names: options.UniqueNames = False,
    quarantine: options.Quarantine = None,
    grace: options.Grace = 10.0,
    concurrency: options.Concurrency = None,
    flavour: options.OnboardFlavour = "direct",
    allow_insecure_file: options.AllowInsecureFile = False,
    in_sandbox: options.InSandbox = False,
    fault: options.Faults = None,
    rate_limit: options.RateLimit = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
) -> None:
    """Connect the accounts of a file, each exactly once.

    The same command goes on where it was stopped, however it was. Exit
    codes: 0 all are connected, 1 some failed, 2 wrong usage (with --dry-run:
    bad rows), 3 some are not done, 4 not begun (a session could not be
    refreshed), 130 interrupted, 143 terminated.
    """
    from cadenza_async.cli import _onboard
    from cadenza_async.cli._job_run import Plan
    from cadenza_async.onboarding._states import Flavour

    sandbox = _onboard.sandbox_options(
        wanted=in_sandbox, rate_limit=rate_limit, faults=fault, json=json
    )
    plan = Plan(
        base_url=base_url,
        dialect=dialect,
        grace=grace,
        quarantine=quarantine,
        concurrency=concurrency,
        unique_names=unique_names,
        retry_failed=retry_failed,
        flavour=Flavour(flavour),
        sandbox=sandbox,
        json=json,
    )
    job = _onboard.Job(
        file=rows,
        journal=journal,
        reports=reports,
        tokens=tokens,
        allow_insecure=allow_insecure_file,
        plan=plan,
    )
    _onboard.onboard(job, status=status, dry_run=dry_run)


@app.command()
def sandbox(
    *,
    dialect: options.SandboxDialect = "pages",
    port: options.Port = 0,
    rate_limit: options.RateLimit = None,
    user: options.Users = None,
    fault: options.Faults = None,
    state: options.State = None,
    state_key: options.StateKey = None,
    json: options.Json = False,
) -> None:
    """Run a Cadenza of your own on this machine, until Ctrl-C.

    URL and access token go to standard output, and a line for each request
    to standard error. Ctrl-C is how to end it, so the exit code is 0 then.
    With --state the next one knows what this one answered, and the access
    token stays the same.
    """
    from cadenza_async.cli import _sandbox
    from cadenza_async.sandbox import Sandbox

    make = partial(
        Sandbox,
        dialect=dialect,
        port=port,
        rate_limit=rate_limit,
        state=state,
        state_key=state_key,
    )
    _sandbox.serve(make, users=user or (), faults=fault or (), json=json)
