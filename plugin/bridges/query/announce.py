"""Announces an OSCQuery server on the network (zeroconf, `_oscjson._tcp`), where the player asks for it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Self

import psutil
from zeroconf import NonUniqueNameException, ServiceInfo, Zeroconf

from sonorama.engine.errors import SonoramaError

SERVICE = "_oscjson._tcp.local."


class Announcement:
    """What other machines see of the server, until `close`.

    Args:
        name: of the show.
        host: address that the server listens at.
        port: of the server.

    Raises:
        SonoramaError: the network does not take it.

    """

    def __init__(self, name: str, host: str, port: int) -> None:
        addresses = addresses_of(host)
        info = ServiceInfo(
            SERVICE, f"sonorama {name}.{SERVICE}", port=port, parsed_addresses=addresses,
            server=f"sonorama-{socket.gethostname()}.local.",
        )  # fmt: skip
        try:
            self._zeroconf = Zeroconf(interfaces=addresses)
            try:
                self._zeroconf.register_service(info)
            except BaseException:
                self._zeroconf.close()
                raise
        except (OSError, NonUniqueNameException) as error:
            message = f"OSCQuery cannot be announced: {error or 'another show has this name'}"
            raise SonoramaError(message, "Leave out announce=1, and type the address.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take it back."""
        self._zeroconf.close()


def addresses_of(host: str) -> list[str]:
    """IPv4 addresses at which a server that listens at `host` can be reached."""
    if not ipaddress.ip_address(host).is_unspecified:
        return [host]
    cards = psutil.net_if_addrs().values()
    return [one.address for card in cards for one in card if one.family == socket.AF_INET]
