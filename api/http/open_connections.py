"""Limits how many connections one address may have open in one process."""

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
    """Counts the open connections of each address.

    Trusted proxies have no limit, because a proxy has the connections of many people.
    """

    def __init__(self, *, per_address: int, trusted_proxies: Collection[str] = ()) -> None:
        self._per_address = per_address
        self._trusts_all = "*" in trusted_proxies
        self._trusted: list[IPv4Network | IPv6Network] = []
        for proxy in trusted_proxies:
            # Entries that are no addresses, such as `*`, are ignored here.
            with suppress(ValueError):
                self._trusted.append(ip_network(proxy))
        self._counts: Counter[str] = Counter()
        self._next_log_at = 0.0

    def admit(self, address: str) -> bool:
        """Counts a new connection; returns `False` without counting if the limit is reached."""
        network, _ = networks_of(address)
        if self._counts[network] >= self._per_address and not self._is_trusted(address):
            self._log()
            return False
        self._counts[network] += 1
        return True

    def release(self, address: str) -> None:
        """Counts the end of a connection that was admitted."""
        network, _ = networks_of(address)
        self._counts[network] -= 1
        if not self._counts[network]:
            del self._counts[network]

    def _is_trusted(self, address: str) -> bool:
        if self._trusts_all:
            return True
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)

    def _log(self) -> None:
        if time.monotonic() >= self._next_log_at:
            self._next_log_at = time.monotonic() + _LOG_EVERY_SECONDS
            log.warning(
                "an address has %d open connections, and more are refused; if it is a proxy, add "
                "it to CLINIC_TRUSTED_PROXIES",
                self._per_address,
            )
