"""How many connections one address holds open, in one process."""

import logging
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from api.http.addresses import networks_of

log = logging.getLogger("clinic_api")

_LOG_EVERY_SECONDS = 60.0


class OpenConnections:
    """Counts open connections by address, and admits a bounded number of each.

    A proxy brings the connections of many people, so those that are trusted have no bound.
    """

    def __init__(self, *, per_address: int, trusted_proxies: Collection[str] = ()) -> None:
        self._per_address = per_address
        self._trusts_everybody = "*" in trusted_proxies
        self._trusted: list[IPv4Network | IPv6Network] = []
        for proxy in trusted_proxies:
            # An entry that is no address, such as `*`, is never the peer of a connection.
            with suppress(ValueError):
                self._trusted.append(ip_network(proxy))
        self._counts: Counter[str] = Counter()
        self._quiet_until = 0.0

    def admit(self, address: str) -> bool:
        """Counts one more, if there may be one more."""
        network, _ = networks_of(address)
        if self._counts[network] >= self._per_address and not self._is_trusted(address):
            self._log()
            return False
        self._counts[network] += 1
        return True

    def release(self, address: str) -> None:
        network, _ = networks_of(address)
        self._counts[network] -= 1
        if not self._counts[network]:
            del self._counts[network]

    def _is_trusted(self, address: str) -> bool:
        if self._trusts_everybody:
            return True
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)

    def _log(self) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _LOG_EVERY_SECONDS
            log.warning(
                "an address has %d connections open, and further ones are closed; is it a proxy "
                "that CLINIC_TRUSTED_PROXIES does not name?",
                self._per_address,
            )
