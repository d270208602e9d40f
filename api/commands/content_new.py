"""`content new`: asks for the facts of a clinic, and writes its content files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.commands.content_exchange import explained
from api.commands.opening import fail
from data.operations.content_new import FolderInUse, write_new_content
from models.languages import ENGLISH, find_unserved

FolderArgument = Annotated[Path, typer.Argument(help="A folder without files, or a new one.")]
NameOption = Annotated[str | None, typer.Option(help="Name of the clinic.")]
LocalityOption = Annotated[str | None, typer.Option(help="City.")]
RegionOption = Annotated[str | None, typer.Option(help="State or province.")]
CountryOption = Annotated[str | None, typer.Option(help="Two letters of ISO 3166, such as US.")]
TimeZoneOption = Annotated[
    str | None, typer.Option(help="Name of the IANA database, such as America/Chicago.")
]
LocalesOption = Annotated[
    list[str] | None,
    typer.Option("--locale", help="Language, such as en-US. The first is the default one."),
]
PhoneOption = Annotated[str | None, typer.Option(help="Telephone number.")]
EmailOption = Annotated[str | None, typer.Option(help="E-mail address.")]
WebsiteOption = Annotated[str | None, typer.Option(help="Address of the clinic's website.")]

_REQUIRED = {
    "locality": "City",
    "region": "State or province",
    "country": "Country, two letters",
    "time_zone": "Time zone, such as America/Chicago",
}
_OPTIONAL = {
    "name": "Name of the clinic",
    "phone": "Phone",
    "email": "E-mail",
    "website": "Website",
}


def new(
    folder: FolderArgument,
    name: NameOption = None,
    locality: LocalityOption = None,
    region: RegionOption = None,
    country: CountryOption = None,
    time_zone: TimeZoneOption = None,
    locale: LocalesOption = None,
    phone: PhoneOption = None,
    email: EmailOption = None,
    website: WebsiteOption = None,
) -> None:
    """Write the content files of a new clinic. What is not known is null."""
    given = {
        "name": name, "locality": locality, "region": region, "country": country,
        "time_zone": time_zone, "phone": phone, "email": email, "website": website,
    }  # fmt: skip
    if sys.stdin.isatty():
        given = _ask(given)
        locale = locale or [typer.prompt("Language", default=ENGLISH, err=True)]
    missing = [f"--{field.replace('_', '-')}" for field in _REQUIRED if not given[field]]
    if missing:
        fail(f"give {', '.join(missing)}")
    contact = {field: given.pop(field) for field in ("phone", "email", "website")}
    locales = locale or [ENGLISH]
    with explained():
        try:
            write_new_content(folder, facts={**given, "locales": locales, "contact": contact})
        except FolderInUse as fault:
            fail(str(fault))
    typer.echo(f"Written: {folder}. Replace the examples, then run `content check`.")
    report_languages(locales)


def _ask(given: dict[str, str | None]) -> dict[str, str | None]:
    """Asks for what was not given; an empty answer means that it is not known."""
    answers = {
        field: typer.prompt(label, default="", show_default=False, err=True)
        for field, label in {**_REQUIRED, **_OPTIONAL}.items()
        if given[field] is None
    }
    return {**given, **{field: answer or None for field, answer in answers.items()}}


def report_languages(locales: list[str]) -> None:
    """Names the locales in whose language the service has no words of its own."""
    for locale in find_unserved(locales):
        typer.echo(f"{locale}: the service's own words are not shipped in this language, "
                   "and patients read them in English.")  # fmt: skip
