"""Telephone numbers."""

import phonenumbers

from models.values import fault


def normalized_phone_number(value: str, *, country: str) -> str:
    """The number as E.164, with an extension as `;ext=` (RFC 3966, section 5.3).

    A number without `+` is one of the country, an ISO 3166-1 alpha-2 code. Raises a
    `PydanticCustomError` if it is not a valid number.
    """
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        raise fault("invalid") from None
    if not phonenumbers.is_valid_number(number):
        raise fault("invalid")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164
