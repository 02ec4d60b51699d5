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
from cores import pin
from job import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATIENCE: Final = 10.0
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
def serving(core: int | None) -> Iterator[Server]:
    """Run a server on a core until the block is left."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    with TemporaryDirectory() as folder:
        _certify(Path(folder))
        plain, tls = _free_ports(2)
        command = _ours(folder, plain, tls) if nginx is None else [nginx, "-p", folder, "-c"]
        if nginx is not None:
            command.append(_configure(Path(folder), plain, tls))
        with _running(command, core, plain):
            yield Server(
                name="asyncio" if nginx is None else _version(nginx),
                plain=f"http://127.0.0.1:{plain}",
                tls=f"https://127.0.0.1:{tls}",
                authority=str(Path(folder, "authority.pem")),
            )


def headers() -> dict[str, str]:
    """Return what Cadenza says of its rate limits, with more room than anybody needs."""
    return {
        "X-RateLimit-Limit": "1000000000",
        "X-RateLimit-Remaining": "999999999",
        "X-RateLimit-Reset": str(int(time.time()) + _SOON),
    }


def _ours(folder: str, plain: int, tls: int) -> list[str]:
    script = str(Path(__file__).with_name("small_server.py"))
    return [sys.executable, script, folder, str(plain), str(tls), json.dumps(headers())]


def _configure(folder: Path, plain: int, tls: int) -> str:
    lines = [f'add_header {name} "{value}";' for name, value in headers().items()]
    text = _NGINX.format(
        plain=plain, tls=tls, headers="\n        ".join(lines), answer=json.dumps(ANSWER)
    )
    file = folder / "nginx.conf"
    file.write_text(text)
    return str(file)


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


@contextmanager
def _running(command: Sequence[str], core: int | None, port: int) -> Iterator[None]:
    with subprocess.Popen(command) as process:
        try:
            pin(process.pid, core)
            _await(process, port)
            yield
        finally:
            process.terminate()


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
