"""E-mail addresses: which ones are valid, and which ones reach the same mailbox."""

from email_validator import EmailNotValidError, ValidatedEmail, validate_email


def parse_email_address(value: str, *, may_be_test: bool = False) -> ValidatedEmail | None:
    """The parts of an address; `None` if the address is not valid.

    `may_be_test` allows the domain `.test` (RFC 2606), which no patient has.
    """
    # In a header, `=?` begins an encoded word (RFC 2047), which can decode to another address.
    if "=?" in value:
        return None
    try:
        return validate_email(value, check_deliverability=False, test_environment=may_be_test)
    except EmailNotValidError:
        return None


def mailbox_of(address: ValidatedEmail) -> str:
    """The same text for all spellings that may reach one mailbox: case, dots, `+tag`.

    Some providers have different mailboxes for some of these spellings. Use it only where it does
    no harm to treat two mailboxes as one.
    """
    local = address.local_part.casefold()
    name = local.partition("+")[0] or local
    return f"{name.replace('.', '')}@{address.ascii_domain.casefold()}"
