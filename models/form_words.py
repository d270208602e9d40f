"""The service's own words on a form, in English. A form's `messages` replace them.

A code of one question or consent, such as `smoker.required`, is searched before the general code
`question.required` or `consent.required`.
"""

YES, NO = "Yes", "No"

MESSAGES = {
    "question.required": "Please answer this question.",
    "question.wrong_type": "This question cannot be answered in this way.",
    "question.too_long": "Please shorten your answer to this question.",
    "question.invalid": "Please check your answer to this question; it cannot be used as it is.",
    "question.too_small": "Please enter a higher number.",
    "question.too_large": "Please enter a lower number.",
    "consent.required": "Please agree to this; without that your request cannot be taken.",
    "consent.wrong_type": "Please check the box to agree to this, or leave it empty.",
    "answers.wrong_type": "The answers must be a JSON object.",
    "answers.unknown_field": "This question is not part of the form.",
    "answers.more_unknown_fields": "More questions are not part of the form.",
    "consents.wrong_type": "The consents must be a JSON object.",
    "consents.unknown_field": "This consent is not part of the form.",
    "consents.more_unknown_fields": "More consents are not part of the form.",
    "body.more_unknown_fields": "More fields are not part of the form.",
    "locale.wrong_type": "The language of the form must be text.",
    "locale.invalid": "The language of the form must be a language tag such as en-US.",
    "website.wrong_type": "This field must stay empty.",
    "website.too_long": "This field must stay empty.",
    "seconds_to_complete.wrong_type": "The seconds must be a whole number.",
    "seconds_to_complete.too_small": "The seconds cannot be negative.",
    "seconds_to_complete.too_large": "The number of seconds is too large.",
}
