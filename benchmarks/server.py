"""The server that all rivals talk to: nginx where there is one, a small one of ours elsewhere."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import trustme
from attrs import frozen
from job import ANSWER
from processes import environment, pin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATIENCE: Final = 10.0
_ENDLESS: Final = 10**12
_SOON: Final = 3500  # seconds; a window may end within an hour
_NGINX: Final = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    server_tokens off;
    default_type application/json;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    large_client_header_buffers 4 16k;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    server {{
        listen 127.0.0.1:{plain} backlog=4096;
        listen 127.0.0.1:{tls} ssl backlog=4096;
        {headers}
        location / {{ return 200 '{answer}'; }}
    }}
}}
"""


@frozen(kw_only=True)
class Server:
    """A server that is running.

    Attributes:
        name: What it is.
        plain: Its URL.
        tls: Its URL with TLS.
        authority: The file of the authority of its certificate.
    """

    name: str
    plain: str
    tls: str
    authority: str


@contextmanager
def serving(core: int | None = None, *, answers: int | None = None) -> Iterator[Server]:
    """Run a server until the block is left.

    Args:
        core: Where it runs, if it is kept on one.
        answers: After how many answers it falls silent, which is no trade of nginx's.
    """
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    with TemporaryDirectory() as name:
        _certify(Path(name))
        if nginx is None or answers is not None:
            run = _small(Path(name), _ENDLESS if answers is None else answers)
        else:
            run = _nginx(nginx, Path(name))
        with run as (process, called, plain, tls):
            pin(process.pid, core)
            yield Server(
                name=called,
                plain=f"http://127.0.0.1:{plain}",
                tls=f"https://127.0.0.1:{tls}",
                authority=str(Path(name, "authority.pem")),
            )


def _headers() -> dict[str, str]:
    """Return what Cadenza says of its rate limits, with more room than anybody needs."""
    return {
        "X-RateLimit-Limit": "1000000000",
        "X-RateLimit-Remaining": "999999999",
        "X-RateLimit-Reset": str(int(time.time()) + _SOON),
    }


_Running = tuple[subprocess.Popen[bytes], str, int, int]


@contextmanager
def _small(folder: Path, answers: int) -> Iterator[_Running]:
    order = {
        "certificate": str(folder / "server.pem"),
        "key": str(folder / "server.key"),
        "headers": _headers(),
        "answers": answers,
    }
    script = str(Path(__file__).with_name("small_server.py"))
    command = [sys.executable, script, json.dumps(order)]
    with _until_left(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        plain, tls = json.loads(process.stdout.readline())
        yield process, "a small asyncio server", plain, tls


@contextmanager
def _nginx(nginx: str, folder: Path) -> Iterator[_Running]:
    plain, tls = _free_ports(2)
    lines = [f'add_header {name} "{value}";' for name, value in _headers().items()]
    headers, answer = "\n        ".join(lines), json.dumps(ANSWER)
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(plain=plain, tls=tls, headers=headers, answer=answer))
    with _until_left([nginx, "-p", str(folder), "-c", str(file)]) as process:
        _await(process, plain)
        yield process, _version(nginx), plain, tls


@contextmanager
def _until_left(
    command: Sequence[str], *, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=environment(), stdout=stdout) as process:
        try:
            yield process
        finally:
            process.terminate()


def _certify(folder: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(folder / "server.pem", append=True)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as exits:
        sockets = [exits.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _version(nginx: str) -> str:
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return told.partition(": ")[2].removeprefix("nginx version: ").strip()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server accepts connections."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return
