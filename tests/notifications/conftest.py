"""Fixtures of the tests of notifications."""

from collections.abc import Iterator

import pytest

from tests.support.receivers import Mailbox, mail_server


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    """A mailbox without TLS, and the address of its server."""
    with mail_server() as served:
        yield served
