"""A consent's text and version belong together: they are stored with each request."""

from models.consultation_form import FormContent

REASON = "the text differs from that of the same version: raise the `version`"


def find_unversioned(before: FormContent, after: FormContent) -> list[int]:
    """The indexes of the consents in `after` whose text changed without a higher version."""
    known = {consent.purpose: consent for consent in before.consents}
    return [
        index
        for index, consent in enumerate(after.consents)
        if (earlier := known.get(consent.purpose))
        if consent.text != earlier.text and consent.version <= earlier.version
    ]
