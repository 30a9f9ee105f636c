"""Who may use an HTTP server that plays a show: by address, and, since any page in a browser can send, by name.

A page of another site reaches a server of this machine through the browser: with a name of its own that leads here (the
header Host shows it), or as itself (the header Origin shows that). Both are refused.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from sonorama.engine.osc.sockets import is_local, network


class Guard:
    """Checks clients and their headers.

    Args:
        allow: addresses or networks besides this machine.
        names: names by which clients may call this machine, besides its own and its addresses.

    Raises:
        SonoramaError: `allow` holds none.

    """

    def __init__(self, allow: Collection[str], names: Collection[str] = ()) -> None:
        self._networks = [network(one) for one in allow]
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in names)}

    def refuses(self, client: str, host: str, origin: str) -> str:
        """Why a request is refused; empty if it is not.

        Args:
            client: address that it came from.
            host: its header Host.
            origin: its header Origin; empty if there is none, as from programs that are no browser.

        """
        if not self.is_allowed(client):
            return f"{client} is not allowed: start the bridge with allow={client}"
        if not self._is_ours(host):
            return "This machine has another name"
        if origin and _place(origin) != host.lower():
            return "Pages of other sites may not play this show"
        return ""

    def is_allowed(self, client: str) -> bool:
        """Whether an address is of this machine, or one that was allowed."""
        try:
            address = ipaddress.ip_address(client.split("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return is_local(str(mapped)) or any(mapped in one for one in self._networks)

    def _is_ours(self, host: str) -> bool:
        """An address or a name of this machine: a name that somebody else chose to lead here is none."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _place(origin: str) -> str:
    """Host and port of a page's origin; empty where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
