"""Every published error number, and what it means."""

from __future__ import annotations

_LINES = """
100000 401 refused       Authentication
100001 401 refused       Authentication
100003 401 refused       Authentication
120001 400 refused       CredentialsRejected
130001 400 refused       InvalidRequest
18000  500 unknown       Server
18004  502 venue failed  Venue
18005  401 refused       CredentialsRejected
18008  400 refused       InvalidRequest
18009  502 venue failed  Venue
18010  503 venue failed  Venue
18011  429 venue failed  Venue
18012  503 venue failed  Venue
18013  503 venue failed  Venue
18015  504 venue failed  Venue
18016  501 unknown       Server
18022  401 refused       CredentialsRejected
19000  500 unknown       Server
19001  400 refused       InvalidRequest
19002  401 refused       Authentication
19003  404 refused       NotFound
19004  400 refused       InvalidRequest
19005  400 refused       InvalidRequest
19006  503 throttled     RateLimited
22000  500 unknown       Server
22001  409 refused       Conflict
22001  400 refused       Conflict
22002  400 refused       Conflict
22006  400 refused       CredentialsRejected
22006  401 refused       CredentialsRejected
22006  403 refused       CredentialsRejected
22008  500 unknown       Server
22008  400 refused       Server
22010  409 refused       Conflict
22010  200 refused       Conflict
22011  400 refused       InvalidRequest
22012  400 refused       InvalidRequest
22014  503 throttled     RateLimited
22015  400 refused       InvalidRequest
22016  404 refused       NotFound
22017  409 refused       Conflict
22018  403 refused       PermissionDenied
22018  401 refused       PermissionDenied
22019  400 refused       InvalidRequest
22020  400 refused       InvalidRequest
22021  500 unknown       Server
22021  400 unknown       Server
26000  401 refused       Authentication
26042  400 refused       Authentication
"""

NUMBERS = [
    (int(line[:6]), int(line[7:10]), line[11:25].strip(), line[25:] + "Error")
    for line in _LINES.strip().splitlines()
]
"""Number, HTTP status, verdict and class; where no status is published, likely ones."""
