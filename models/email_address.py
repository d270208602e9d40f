"""E-mail addresses: which ones can be written to, and which ones reach the same mailbox."""

from email_validator import EmailNotValidError, ValidatedEmail, validate_email


def parse_email_address(value: str, *, may_be_test: bool = False) -> ValidatedEmail | None:
    """The address in its parts, `None` where no letter may go to it.

    `may_be_test` allows the domain `.test`, which no patient has.
    """
    # In a header, `=?` begins an encoded word (RFC 2047), which is decoded into another address.
    if "=?" in value:
        return None
    try:
        return validate_email(value, check_deliverability=False, test_environment=may_be_test)
    except EmailNotValidError:
        return None


def mailbox_of(address: ValidatedEmail) -> str:
    """One name for all spellings that may reach the same mailbox: case, dots, `+tag`.

    Some providers tell a few of these spellings apart. Compare with it only where taking two
    mailboxes for one does no harm.
    """
    local = address.local_part.casefold()
    name = local.partition("+")[0] or local
    return f"{name.replace('.', '')}@{address.ascii_domain.casefold()}"
