"""Hosts: under which names the server may be asked for, so that no page of another name can."""

import ipaddress
import re
import socket
from collections.abc import Collection

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(:\d{1,5})?")
_KEPT = 64


class Hosts:
    """The names a request may call the server by.

    A browser can be led to send requests to a server inside the house under a name of a stranger's
    (DNS rebinding). Addresses in numbers and ``localhost`` cannot be such a name.

    Args:
        names: Names besides those; ``*`` for any.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = {name.lower().rstrip(".") for name in (*names, "localhost", socket.gethostname())}
        self._good: set[bytes] = set()

    def accept(self, given: bytes) -> bool:
        """Whether a Host header names this server."""
        if given in self._good:
            return True
        whole = _AUTHORITY.fullmatch(given.decode("latin-1").lower())
        good = whole is not None and self._known(whole[1].rstrip("."))
        if good and len(self._good) < _KEPT:
            self._good.add(given)
        return good

    def _known(self, name: str) -> bool:
        if name in self._names or "*" in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True
