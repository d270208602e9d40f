"""The facts that the shipped texts must contain, and the words that they must not contain."""

UNKNOWN = "The clinic's published information does not say."
CAVEATS = {
    "mechanism-not-fully-understood": "As with many medicines, how exactly ketamine works in"
    " depression is not fully understood.",
    "explanation-may-change": "This explanation rests on today's knowledge and may change quickly.",
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
DEPEND_ON_STATUS = [slug for slug, _, _ in FAQS[:4]]
UNANSWERED = [slug for slug, _, _ in FAQS[20:]]

# The section whose body holds these words, and the FAQs whose answers do. No other text may.
FACTS: list[tuple[str | None, list[str], list[str]]] = [
    (
        "what-is-ketamine",
        [],
        ["The clinic states that it has been in safe use as an anesthetic for decades since"],
    ),
    ("what-is-ketamine", ["what-is-ketamine", "is-ketamine-fda-approved"], ["in 1970"]),
    (
        "what-is-ketamine",
        ["what-is-ketamine", "who-essential-medicines"],
        ["on its List of Essential Medicines, for anesthesia"],
    ),
    (
        "what-is-ketamine",
        ["battlefield-use"],
        [
            "does not depress the cardiovascular and respiratory systems in the way other",
            "in the way other anesthetics do. For that reason it has been used extensively",
        ],
    ),
    (
        "what-is-ketamine",
        ["what-is-ketamine", "battlefield-use"],
        ["has been used extensively in anesthesia, and on the battlefield by armed forces"],
    ),
    (
        "what-is-ketamine",
        ["party-drug"],
        [
            "In the 1980s and 1990s people abused ketamine as a party drug, in high doses over",
            "in high doses over a short time",
            "That abuse harmed the reputation of an important drug and for a while held back",
            "for a while held back research into legitimate medical uses",
        ],
    ),
    (
        "what-is-ketamine",
        ["what-research-shows"],
        [
            "Roughly the last 15 to 20 years of research, the clinic states, have produced what",
            "have produced what the clinic calls exciting evidence of the success of low-dose",
            "the success of low-dose infusions for depression, PTSD and chronic pain",
            "These years are counted from when the clinic wrote this, and that date is not known",
        ],
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
            "etamine is FDA-approved as an anesthetic",
            'use for mental health conditions and chronic pain is still considered "off-label"',
        ],
    ),
    (
        "off-label-use",
        ["what-does-off-label-mean", "what-does-on-label-mean"],
        [
            "Before the FDA approves a new drug, the drug has to be researched heavily for one",
            "researched heavily for one particular condition",
        ],
    ),
    (
        "off-label-use",
        ["what-does-on-label-mean"],
        ["Using it for that approved condition is called on-label use"],
    ),
    (
        "off-label-use",
        ["what-does-off-label-mean"],
        [
            "Using it for another condition, one whose research was not part of the original",
            "was not part of the original FDA application, is called off-label use",
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
            "only says that the data for that other purpose has not been submitted to, and",
            "has not been submitted to, and approved by, the FDA",
        ],
    ),
    (
        "off-label-use",
        ["off-label-examples"],
        ["Examples of off-label use are found at two places, Stanford Medicine and WebMD"],
    ),
    (None, ["off-label-examples"], ["The links to them are lost"]),
    (
        "how-ketamine-helps",
        ["how-does-it-work"],
        [
            "Ketamine antagonizes the N-methyl-D-aspartate (NMDA) receptor, which changes how",
            "which changes how the neurotransmitter glutamate is produced",
            "Glutamate is believed to play a major part in ketamine's effect on depression",
            "raises production of brain-derived neurotrophic factor (BDNF) and mTOR",
            "Put simply, ketamine helps to decrease the activity of overactive neurons while",
            "while stimulating the production of healthy ones",
        ],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "what-are-synapses"],
        [
            "help stimulate the making of new synapses",
            "the chemical connections between neurons in the nervous system",
            "People with chronic depression have fewer of those connections",
        ],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "is-the-mechanism-known", "what-are-synapses"],
        [CAVEATS["mechanism-not-fully-understood"]],
    ),
    (
        "how-ketamine-helps",
        ["how-does-it-work", "is-the-mechanism-known", "is-this-up-to-date"],
        ["rests on today's knowledge and may change quickly"],
    ),
    (None, ["replace-my-provider"], [SITE_NOTICE]),
    (
        "how-we-can-help",
        ["what-does-the-clinic-offer"],
        [
            'ketamine infusion therapy ("Ketamine Treatments") to help treat various',
            "to help treat various mood disorders and chronic pain",
        ],
    ),
    ("how-we-can-help", ["where-is-the-clinic"], ["in Portland, Oregon"]),
    (None, DEPEND_ON_STATUS, ["permanently closed"]),
    (
        None,
        ["is-the-clinic-open"],
        ["When and why it closed, and where its records went, is not stated"],
    ),
    (None, ["can-i-request-a-consultation"], ["Request Your Consultation Now"]),
    (None, UNANSWERED, [UNKNOWN]),
]

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
