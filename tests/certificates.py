"""Certificates for servers on this machine, by an authority of the tests' own."""

from __future__ import annotations

import ssl
from functools import cache

import trustme


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def certified() -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@cache
def trusting() -> ssl.SSLContext:
    """The side of a client that trusts such a server."""
    context = ssl.create_default_context()
    _authority().configure_trust(context)
    return context
