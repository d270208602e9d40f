"""The languages of the words that the service itself says to patients."""

from collections.abc import Iterable

ENGLISH = "en"
# Languages of BCP 47, without script and region.
SERVICE_LANGUAGES = (ENGLISH, "es")


def language_of(locale: str) -> str:
    """The language of a locale, for example `es` of `es-MX`."""
    return locale.partition("-")[0]


def find_unserved(locales: Iterable[str]) -> list[str]:
    """The locales in whose language the service has no words of its own."""
    return [locale for locale in locales if language_of(locale) not in SERVICE_LANGUAGES]
