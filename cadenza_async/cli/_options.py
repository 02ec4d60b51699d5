"""The options of the commands."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from typer import Argument, Option

Venue: TypeAlias = Annotated[str, Option(help="The exchange, for example BINANCE.")]
Name: TypeAlias = Annotated[
    str | None, Option(help="What to call the account; a unique name settles unknown outcomes.")
]
AccountType: TypeAlias = Annotated[
    str | None, Option(help="For example SPOT; the server chooses when it is left out.")
]
Credentials: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help=(
            "CADENZA_API_KEY=…, CADENZA_API_SECRET=…, CADENZA_API_PASSPHRASE=… in lines, or a "
            "JSON object with apiKey, apiSecret, apiPassphrase; - for standard input. Refused if "
            "others can read it (which is not checked on Windows)."
        ),
    ),
]
OnlyVenue: TypeAlias = Annotated[
    str | None, Option("--venue", help="Only accounts of this exchange.")
]
OnlyStatus: TypeAlias = Annotated[
    str | None, Option("--status", help="Only accounts in this state, for example ACTIVE.")
]
AccountId: TypeAlias = Annotated[
    str, Argument(metavar="ID", help="The account, as `cadenza accounts` names it.")
]
NewName: TypeAlias = Annotated[str, Argument(metavar="NAME", help="What to call it from now on.")]
OnlyAccount: TypeAlias = Annotated[
    str | None, Argument(metavar="ID", help="Only what was done to this account.")
]
OnlyOperation: TypeAlias = Annotated[
    str | None, Option("--type", help="Only operations of this type, for example CONNECT.")
]
Since: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="TIME",
        help="Only from then on: 2026-06-30, 2026-06-30T12:00, or with an offset; else local time.",
    ),
]
Until: TypeAlias = Annotated[str | None, Option(metavar="TIME", help="Only until then; likewise.")]
CredentialId: TypeAlias = Annotated[
    str, Argument(metavar="ID", help="The credential, as `cadenza credentials` names it.")
]
CredentialIds: TypeAlias = Annotated[
    list[str] | None, Argument(metavar="ID", help="Only these credentials.")
]
ExternalId: TypeAlias = Annotated[
    str,
    Argument(metavar="EXTERNAL_ID", help="The account, as `cadenza credentials verify` names it."),
]
CredentialType: TypeAlias = Annotated[
    str | None, Option("--type", help="For example API_KEY, RSA or ED25519.")
]
CredentialName: TypeAlias = Annotated[
    str | None, Option(help="What to call the credential; a unique name settles unknown outcomes.")
]
OnlyCredentialType: TypeAlias = Annotated[
    str | None, Option("--type", help="Only credentials of this type, for example API_KEY.")
]
OnlyCredentialStatus: TypeAlias = Annotated[
    str | None, Option("--status", help="Only credentials in this state, for example ACTIVE.")
]
Email: TypeAlias = Annotated[str | None, Option(help="Asked for, when it is not given.")]
PasswordFile: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help=(
            "Where the password is; - for standard input, which is also read if it is no "
            "terminal. Refused if others can read it (which is not checked on Windows)."
        ),
    ),
]
Version: TypeAlias = Annotated[bool, Option("--version", help="Show which version this is.")]
Yes: TypeAlias = Annotated[bool, Option("--yes", help="Do not ask.")]
Json: TypeAlias = Annotated[
    bool,
    Option("--json", help="Write JSON to standard output, a line for each result or error."),
]
BaseUrl: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="URL",
        help="uat, production or a URL; CADENZA_BASE_URL, else uat, when it is not given.",
    ),
]
Dialect: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="NAME",
        help=(
            "pages or openapi, whose spellings are sent where Cadenza's descriptions differ; "
            "CADENZA_DIALECT, else pages, when it is not given."
        ),
    ),
]
Timeout: TypeAlias = Annotated[
    float | None, Option(metavar="SECONDS", help="For a whole call; 30 when it is not given.")
]
Port: TypeAlias = Annotated[int, Option(min=0, max=65535, help="0 takes a free one.")]
RateLimit: TypeAlias = Annotated[
    int | None,
    Option(min=1, help="Calls a minute that a sandbox allows each user; no limit when not given."),
]
Users: TypeAlias = Annotated[
    list[str] | None,
    Option(metavar="NAME:EMAIL:PASSWORD", help="Somebody who can log in; may be repeated."),
]
Faults: TypeAlias = Annotated[
    list[str] | None,
    Option(
        metavar="SPEC",
        help=(
            "What goes wrong in a sandbox, for example drop-after-commit:5% or latency:200ms@list; "
            "once, if it has no rate. A wrong name lists all there are; may be repeated."
        ),
    ),
]
SandboxDialect: TypeAlias = Annotated[
    Literal["pages", "openapi"], Option("--dialect", help="What it speaks and expects.")
]
State: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help=(
            "Keep what was answered in this file, encrypted, for the next sandbox; forgotten at "
            "the end when not given. Needs the extra `sandbox`."
        ),
    ),
]
StateKey: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help=(
            "The key of --state, made for a new one; when not given CADENZA_SANDBOX_KEY (32 bytes "
            "in base64), else sandbox.state.key beside sandbox.state. Refused if others can read "
            "it (which is not checked on Windows)."
        ),
    ),
]
Rows: TypeAlias = Annotated[
    str | None,
    Argument(
        metavar="FILE",
        help=(
            "CSV with a header, or JSON lines; - for standard input. Columns: venue, apiKey, "
            "apiSecret, apiPassphrase, name, accountType (api_key and its like are fine), key, "
            "user. A secret may be a reference: env:NAME, file:PATH, keyring:service/name; what "
            "follows plain: is taken as it is."
        ),
    ),
]
Tokens: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help=(
            "JSON, from user to access token (plain or a reference) or login "
            '({"email": …, "password": …}). CADENZA_ACCESS_TOKEN is for rows without a user.'
        ),
    ),
]
Journal: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="FILE",
        help="What a later run goes on from; accounts.journal beside accounts.csv if not given.",
    ),
]
Reports: TypeAlias = Annotated[
    str | None,
    Option(
        metavar="DIR",
        help=(
            "Where connected, failed and unfinished rows are told, as .csv and .jsonl; "
            "accounts.reports beside accounts.journal if not given."
        ),
    ),
]
DryRun: TypeAlias = Annotated[
    bool, Option("--dry-run", help="Send nothing; tell all bad rows, and how long it will take.")
]
Status: TypeAlias = Annotated[
    str | None,
    Option(metavar="JOURNAL", help="Send nothing; tell how far the job of this journal is."),
]
RetryFailed: TypeAlias = Annotated[
    bool, Option("--retry-failed", help="Send rows again that were refused before.")
]
UniqueNames: TypeAlias = Annotated[
    bool,
    Option("--unique-names", help="Tell equal names apart by a suffix, instead of refusing them."),
]
OnboardFlavour: TypeAlias = Annotated[
    Literal["direct", "credential"],
    Option(
        "--flavour",
        help=(
            "direct connects in one call; credential stores the keys, verifies them and connects "
            "by reference, as Cadenza's OpenAPI document has it (see --dialect openapi)."
        ),
    ),
]
AllowInsecureFile: TypeAlias = Annotated[
    bool,
    Option(
        "--allow-insecure-file",
        help="Take secrets from a file that others can read, with a warning.",
    ),
]
Quarantine: TypeAlias = Annotated[
    float | None,
    Option(
        metavar="SECONDS",
        help=(
            "After which a request without an answer was carried out or never will be; 120 (in a "
            "sandbox 10) if not given."
        ),
    ),
]
Grace: TypeAlias = Annotated[
    float, Option(metavar="SECONDS", help="How long a stop waits for what is in flight.")
]
Concurrency: TypeAlias = Annotated[
    int | None, Option(min=1, help="Calls in flight at a time, at most; 100 when not given.")
]
InSandbox: TypeAlias = Annotated[
    bool,
    Option(
        "--sandbox",
        help="Try it in a sandbox of its own, with a temporary journal if none is named.",
    ),
]
DemoAccounts: TypeAlias = Annotated[
    int | None,
    Option("--accounts", min=1, help="Onboard so many accounts of made-up users instead."),
]
