"""The facts that the shipped texts must contain, and the words that they must not contain."""

CALL = "Request Your Consultation Now"
UNKNOWN = "The clinic's published information does not say."
CAVEATS = {
    "mechanism-not-fully-understood": "It is not fully understood how exactly ketamine works in"
    " depression. The same is true of many medicines.",
    "explanation-may-change": "This explanation of how ketamine helps rests on what was known when"
    " the clinic wrote it. It may change quickly.",
}
CAVEATED = {
    "how-ketamine-helps",
    "how-does-it-work",
    "is-the-mechanism-known",
    "what-are-synapses",
    "is-this-up-to-date",
}
SITE_NOTICE = (
    "The information here should not replace a formal consult with your mental health provider."
)

SECTIONS = {
    "what-is-ketamine": "What is ketamine?",
    "off-label-use": 'What does "off-label" mean?',
    "how-ketamine-helps": "How does ketamine help treat mood and anxiety disorders?",
    "how-we-can-help": "How can we help you?",
}

# slug, topic, section, in the order served
FAQS: list[tuple[str, str, str | None]] = [
    ("is-the-clinic-open", "clinic", None),
    ("can-i-request-a-consultation", "clinic", "how-we-can-help"),
    ("where-is-the-clinic", "clinic", "how-we-can-help"),
    ("what-does-the-clinic-offer", "clinic", "how-we-can-help"),
    ("what-is-ketamine", "ketamine", "what-is-ketamine"),
    ("is-ketamine-fda-approved", "ketamine", "what-is-ketamine"),
    ("approved-for-depression", "off-label", "what-is-ketamine"),
    ("what-does-off-label-mean", "off-label", "off-label-use"),
    ("what-does-on-label-mean", "off-label", "off-label-use"),
    ("how-common-is-off-label", "off-label", "off-label-use"),
    ("off-label-examples", "off-label", "off-label-use"),
    ("who-essential-medicines", "ketamine", "what-is-ketamine"),
    ("battlefield-use", "ketamine", "what-is-ketamine"),
    ("party-drug", "ketamine", "what-is-ketamine"),
    ("what-research-shows", "ketamine", "what-is-ketamine"),
    ("how-does-it-work", "how-it-works", "how-ketamine-helps"),
    ("is-the-mechanism-known", "how-it-works", "how-ketamine-helps"),
    ("what-are-synapses", "how-it-works", "how-ketamine-helps"),
    ("is-this-up-to-date", "how-it-works", "how-ketamine-helps"),
    ("replace-my-provider", "clinic", "how-ketamine-helps"),
    ("cost-and-insurance", "clinic", None),
    ("side-effects-and-risks", "ketamine", None),
    ("who-should-not-have-it", "ketamine", None),
    ("how-many-infusions", "ketamine", None),
    ("medical-records", "clinic", None),
    ("why-and-when-closed", "clinic", None),
    ("other-providers", "clinic", None),
]
TOPICS = {
    "clinic": "The clinic",
    "ketamine": "Ketamine",
    "off-label": "Off-label use",
    "how-it-works": "How it works",
}
# The FAQs that are not shown in every state, and the states in which they are shown.
SHOWN_IN = {
    "medical-records": {"temporarily_closed", "permanently_closed"},
    "why-and-when-closed": {"permanently_closed"},
    "other-providers": {"temporarily_closed", "permanently_closed"},
}
DEPEND_ON_STATUS = [slug for slug, _, _ in FAQS[:4]]
UNANSWERED = [slug for slug, _, _ in FAQS[20:]]

# Words of a permanently closed clinic's texts, and the texts that have them: see `FACTS`.
Fact = tuple[str | None, list[str], list[str]]

_HISTORY: list[Fact] = [
    ("what-is-ketamine", ["what-is-ketamine", "is-ketamine-fda-approved"], ["in 1970"]),
    (
        "what-is-ketamine",
        [],
        ["The clinic states that it has been in safe use as an anesthetic for decades since."],
    ),
    (
        "what-is-ketamine",
        ["what-is-ketamine", "who-essential-medicines"],
        ["on its List of Essential Medicines, for anesthesia."],
    ),
    (
        "what-is-ketamine",
        ["battlefield-use"],
        [
            "ketamine does not depress the cardiovascular or respiratory systems in the way other"
            " anesthetics do.",
            "For this reason, the clinic states, ketamine has been used extensively",
        ],
    ),
    (
        "what-is-ketamine",
        ["what-is-ketamine", "battlefield-use"],
        ["been used extensively in anesthesia, and on the battlefield by armed forces."],
    ),
    (
        "what-is-ketamine",
        ["party-drug"],
        [
            "In the 1980s and 1990s people abused ketamine as a party drug, in high doses over a"
            " short time.",
            "That abuse harmed the reputation of an important drug.",
            "For a while it held back research into legitimate medical uses.",
        ],
    ),
    (
        "what-is-ketamine",
        ["what-research-shows"],
        [
            "The clinic points to roughly the last 15 to 20 years of research.",
            "It states that this research has produced what the clinic calls exciting evidence of",
            "of the success of low-dose infusions for depression, PTSD and chronic pain.",
            "These years are counted from when the clinic wrote this. That date is not known.",
        ],
    ),
    (
        "what-is-ketamine",
        ["what-is-ketamine", "approved-for-depression", "what-research-shows"],
        ["Ketamine is FDA-approved as an anesthetic."],
    ),
    (
        "what-is-ketamine",
        [
            "what-is-ketamine",
            "is-ketamine-fda-approved",
            "approved-for-depression",
            "what-research-shows",
        ],
        [
            'Its use for mental health conditions and chronic pain was still considered "off-label"'
            " when the clinic wrote this.",
        ],
    ),
    (None, ["approved-for-depression"], ['No, not by the FDA: that is "off-label" use.']),
]

_OFF_LABEL: list[Fact] = [
    (
        "off-label-use",
        ["what-does-off-label-mean", "what-does-on-label-mean"],
        [
            "A new drug has to be researched heavily before the FDA approves it for a particular"
            " condition.",
        ],
    ),
    (
        "off-label-use",
        ["what-does-on-label-mean"],
        ["Using the drug for that approved condition is called on-label use."],
    ),
    (
        "off-label-use",
        ["what-does-off-label-mean"],
        [
            "Using it for another condition, one whose research was not part of the original FDA"
            " application, is called off-label use.",
        ],
    ),
    (
        "off-label-use",
        ["how-common-is-off-label"],
        ["In the U.S., more than one in five outpatient prescriptions are for off-label therapies"],
    ),
    (
        "off-label-use",
        ["approved-for-depression", "what-does-off-label-mean"],
        [
            "Off-label means that the data for that other purpose has not been submitted to, and"
            " approved by, the FDA.",
        ],
    ),
    (
        "off-label-use",
        ["off-label-examples"],
        [
            "Examples of off-label use are found in two places: Stanford Medicine and WebMD.",
            "The links to them are lost",
        ],
    ),
]

_MECHANISM: list[Fact] = [
    (
        "how-ketamine-helps",
        ["how-does-it-work"],
        [
            "Ketamine antagonizes the N-methyl-D-aspartate (NMDA) receptor.",
            "That is, it blocks the action of this receptor.",
            "This in turn changes how glutamate, a neurotransmitter, is made.",
            "Glutamate is believed to play a major part in ketamine's effect on depression.",
            "Glutamate raises production of brain-derived neurotrophic factor (BDNF) and mTOR.",
            "Put simply, ketamine helps to lower the activity of overactive neurons while"
            " stimulating the production of healthy ones.",
        ],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "what-are-synapses"],
        [
            "help stimulate the making of new synapses.",
            "Synapses are the chemical connections between neurons in the nervous system.",
            "People with chronic depression have fewer of those connections.",
        ],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "is-the-mechanism-known", "what-are-synapses"],
        ["not fully understood how exactly ketamine works in depression."],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "is-the-mechanism-known", "is-this-up-to-date"],
        ["rests on what was known when the clinic wrote this. It may change quickly."],
    ),
    (
        None,
        ["is-this-up-to-date"],
        ["No. The explanation of how ketamine helps with depression rests on what was known"],
    ),
    (None, ["replace-my-provider"], [SITE_NOTICE]),
]

_CLINIC: list[Fact] = [
    (
        "how-we-can-help",
        ["what-does-the-clinic-offer"],
        [
            'It offered ketamine infusion therapy ("Ketamine Treatments").',
            "This therapy was meant to help treat various mood disorders and chronic pain.",
        ],
    ),
    ("how-we-can-help", ["where-is-the-clinic"], ["The clinic was in Portland, Oregon."]),
    ("how-we-can-help", DEPEND_ON_STATUS, ["permanently closed"]),
    (
        None,
        ["is-the-clinic-open"],
        ["does not say when or why it closed, or where its records went."],
    ),
    (
        None,
        ["can-i-request-a-consultation"],
        [f'so "{CALL}" no longer applies.'],
    ),
    (None, UNANSWERED, [UNKNOWN]),
]

# The section whose body has these words, and the FAQs whose answers have them. No other text may.
FACTS = [*_HISTORY, *_OFF_LABEL, *_MECHANISM, *_CLINIC]

# Not in the clinic's information: prices, doses, people, claims, other conditions.
NEVER_STATED = (
    r"[$@<>]|https?:|www\.|\b(?:mg|milligrams?|dollars?|price|cost|insur\w+|side effects?|risks?)\b"
    r"|\b(?:eligib\w+|contraindicat\w+|session|hours?|street|avenue|dr|doctor|physician|nurse)\b"
    r"|\b(?:cures?|cured|proven|guarantee\w*|effective|safely|breakthrough|best)\b"
    r"|rapamycin|esketamine|spravato"
    r"|bipolar|suicid|addict|alcohol|obsessive|\bOCD\b|schizo|psychosis|migraine|fibromyalgia"
    r"|neuropath|\bCRPS\b|cancer|insomnia|dementia|parkinson|postpartum|stress|panic|autis|\bADHD\b"
)
ALLOWED_NUMBERS = {"1970", "1980", "1990", "15", "20"}
