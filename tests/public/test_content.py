"""The shipped texts contain every fact and every hedge of the clinic's information, and no more."""

import html
import re
from pathlib import Path

import httpx
import pytest
import yaml

pytestmark = pytest.mark.shared

FAQ_FILE = Path(__file__).parents[2] / "data" / "content" / "faqs.yaml"
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

# The section and the FAQs that contain these words. No other text may contain them.
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

# The clinic's information has no prices, doses, people, claims or other conditions.
NEVER_STATED = (
    r"[$@<>]|https?:|www\.|\b(?:mg|milligrams?|dollars?|price|cost|insur\w+|side effects?|risks?)\b"
    r"|\b(?:eligib\w+|contraindicat\w+|session|hours?|street|avenue|dr|doctor|physician|nurse)\b"
    r"|\b(?:cures?|cured|proven|guarantee\w*|effective|safely|breakthrough|best)\b"
    r"|rapamycin|esketamine|spravato"
    r"|bipolar|suicid|addict|alcohol|obsessive|\bOCD\b|schizo|psychosis|migraine|fibromyalgia"
    r"|neuropath|\bCRPS\b|cancer|insomnia|dementia|parkinson|postpartum|stress|panic|autis|\bADHD\b"
)
ALLOWED_NUMBERS = {"1970", "1980", "1990", "15", "20"}


def _one_line(text: str) -> str:
    return " ".join(text.split())


async def _texts(client: httpx.AsyncClient, noun: str) -> dict[str, str]:
    """Plain text of each section's body, or of each FAQ's answer, by slug."""
    field = {"sections": "body", "faqs": "answer"}[noun]
    listed = (await client.get(f"/v1/{noun}")).raise_for_status().json()["data"]
    return {item["slug"]: _one_line(item[field]["text"]) for item in listed}


async def _everything_said(client: httpx.AsyncClient) -> dict[str, str]:
    """All texts that are served about the clinic and ketamine, each with the name of its source."""
    said: dict[str, str] = {}
    for section in (await client.get("/v1/sections")).raise_for_status().json()["data"]:
        slug = f"section {section['slug']}"
        said |= {f"{slug}: {part}": section[part] for part in ("title", "summary")}
        said[f"{slug}: body"] = section["body"]["text"]
        said |= {f"{slug}: notice {n['slug']}": n["text"] for n in section["notices"]}
        said |= {f"{slug}: reference": r["label"] for r in section["references"]}
    for faq in (await client.get("/v1/faqs")).raise_for_status().json()["data"]:
        said[f"faq {faq['slug']}: answer"] = faq["answer"]["text"]
        if faq["answered"]:
            said[f"faq {faq['slug']}: question"] = faq["question"]
    clinic = (await client.get("/v1/clinic")).raise_for_status().json()
    said |= {f"treatment {t['slug']}": t["summary"] for t in clinic["treatments"]}
    status = (await client.get("/v1/status")).raise_for_status().json()
    said |= {f"status: {part}": status[part] for part in ("headline", "message")}
    return {where: _one_line(text) for where, text in said.items()}


async def test_sections_and_faqs_are_complete_and_in_order(client: httpx.AsyncClient) -> None:
    """There are four sections and 27 FAQs, in this order."""
    sections = (await client.get("/v1/sections")).json()
    assert [(s["slug"], s["title"]) for s in sections["data"]] == list(SECTIONS.items())
    assert [s["position"] for s in sections["data"]] == [1, 2, 3, 4]
    assert sections["meta"]["total"] == 4

    faqs = (await client.get("/v1/faqs")).json()
    assert [(f["slug"], f["topic"], f["section"]) for f in faqs["data"]] == FAQS
    assert faqs["meta"]["total"] == 27


async def test_faqs_say_what_kind_of_answer_they_give(client: httpx.AsyncClient) -> None:
    """The first four answers depend on the clinic's state; the last seven questions have none."""
    faqs = (await client.get("/v1/faqs")).json()["data"]
    assert [f["slug"] for f in faqs if f["depends_on_status"]] == DEPEND_ON_STATUS
    unanswered = {f["slug"]: f["answer"]["text"] for f in faqs if not f["answered"]}
    assert unanswered == dict.fromkeys(UNANSWERED, UNKNOWN)


@pytest.mark.parametrize(("section", "faqs", "facts"), FACTS, ids=[f[2][0] for f in FACTS])
async def test_each_fact_stands_where_it_belongs(
    client: httpx.AsyncClient, section: str | None, faqs: list[str], facts: list[str]
) -> None:
    """Each fact, with its hedges, is in exactly these texts."""
    bodies = await _texts(client, "sections")
    answers = await _texts(client, "faqs")
    for words in facts:
        assert {slug for slug, text in bodies.items() if words in text} == {section} - {None}
        assert [slug for slug, text in answers.items() if words in text] == faqs


@pytest.mark.parametrize("claim", ["safe use", "does not depress", "years of research", "exciting"])
async def test_the_clinics_own_claims_stay_its_own(client: httpx.AsyncClient, claim: str) -> None:
    """Each claim of the clinic is attributed to it in the same sentence."""
    said = await _everything_said(client)
    sentences = [s for text in said.values() for s in re.split(r"(?<=[.?]) ", text) if claim in s]
    assert sentences
    for sentence in sentences:
        assert re.search(r"\bthe clinic (also )?states\b", sentence, re.IGNORECASE)


async def test_nothing_is_said_that_is_not_known(client: httpx.AsyncClient) -> None:
    """No text names a price, a dose, a person, an address, another condition or another number."""
    for where, text in (await _everything_said(client)).items():
        assert not re.search(NEVER_STATED, text, re.IGNORECASE), where
        assert set(re.findall(r"\d+", text)) <= ALLOWED_NUMBERS, where
        assert text.isascii(), where


async def test_anxiety_is_named_in_one_heading_only(client: httpx.AsyncClient) -> None:
    """Anxiety disorders are named only in the title of one section."""
    said = await _everything_said(client)
    named = [where for where, text in said.items() if "anxiety" in text.lower()]
    assert named == ["section how-ketamine-helps: title"]


async def test_closed_answers_offer_nothing(client: httpx.AsyncClient) -> None:
    """While the clinic is permanently closed, answers about its offer are in the past tense."""
    answers = await _texts(client, "faqs")
    assert answers["is-the-clinic-open"].startswith("No.")
    assert answers["can-i-request-a-consultation"].startswith("No.")
    assert "The clinic was in" in answers["where-is-the-clinic"]
    assert "It offered ketamine" in answers["what-does-the-clinic-offer"]
    for slug in DEPEND_ON_STATUS:
        assert not re.search(r"\b(offers|treats|we|you can|clinic is in)\b", answers[slug])


def test_answers_for_the_other_states_promise_no_day() -> None:
    """An answer for a temporarily closed clinic promises no reopening."""
    faqs = {faq["slug"]: faq for faq in yaml.safe_load(FAQ_FILE.read_text("utf-8"))["faqs"]}
    assert [slug for slug, faq in faqs.items() if "answers" in faq] == DEPEND_ON_STATUS
    for slug in DEPEND_ON_STATUS:
        answers = faqs[slug]["answers"]
        assert "temporarily closed" in answers["temporarily_closed"]
        assert not re.search(r"reopen|soon|again|\d", answers["temporarily_closed"])
        assert "closed" not in answers["open"]


@pytest.mark.parametrize("slug", [*SECTIONS, *(slug for slug, _, _ in FAQS)])
async def test_each_text_carries_its_notices(client: httpx.AsyncClient, slug: str) -> None:
    """Each text begins with the status notice; caveats follow where they apply."""
    status = (await client.get("/v1/status")).json()
    expected = {"clinic-status": status["message"], "not-a-substitute-for-care": SITE_NOTICE}
    if slug in CAVEATED:
        expected |= CAVEATS
    found = 0
    for noun in ("sections", "faqs"):
        answer = await client.get(f"/v1/{noun}/{slug}")
        if answer.status_code == 404:
            continue
        found += 1
        notices = answer.raise_for_status().json()["notices"]
        assert notices[0]["slug"] == "clinic-status"
        assert len(notices) == len(expected)
        assert {n["slug"]: n["text"] for n in notices} == expected
    assert found


async def test_markdown_html_and_text_say_the_same_words(client: httpx.AsyncClient) -> None:
    """HTML without tags and Markdown without marks equal the plain text."""
    listed = (await client.get("/v1/sections")).json()["data"]
    bodies = [section["body"] for section in listed]
    bodies += [faq["answer"] for faq in (await client.get("/v1/faqs")).json()["data"]]
    for body in bodies:
        words = body["text"].split()
        without_tags = html.unescape(re.sub(r"<[^>]+>", "", body["html"]))
        assert without_tags.split() == words
        assert body["markdown"].replace("*", "").split() == words
        assert set(re.findall(r"<(\w+)", body["html"])) <= {"p", "strong", "em"}


async def test_summaries_fit_a_meta_description(client: httpx.AsyncClient) -> None:
    """A section's summary is one sentence of at most 160 characters."""
    for section in (await client.get("/v1/sections")).json()["data"]:
        summary = section["summary"]
        assert len(summary) <= 160
        assert summary.endswith(".")
        assert not re.search(r"[.?!] ", summary)


async def test_the_mechanisms_summary_keeps_its_hedge(client: httpx.AsyncClient) -> None:
    """The summary of how ketamine helps says that this is not fully understood."""
    section = (await client.get("/v1/sections/how-ketamine-helps")).json()
    assert "not fully understood" in section["summary"]


async def test_references_are_named_without_an_address(client: httpx.AsyncClient) -> None:
    """Stanford Medicine and WebMD are references without a URL."""
    for slug in SECTIONS:
        references = (await client.get(f"/v1/sections/{slug}")).json()["references"]
        labels = ["Stanford Medicine", "WebMD"] if slug == "off-label-use" else []
        assert references == [{"label": label, "url": None} for label in labels]


async def test_only_the_last_section_calls_to_action(client: httpx.AsyncClient) -> None:
    """One section has a button, disabled while the clinic is closed.

    No section has an image or the date of a review.
    """
    for slug in SECTIONS:
        section = (await client.get(f"/v1/sections/{slug}")).json()
        call = section["call_to_action"]
        if slug == "how-we-can-help":
            assert call["label"] == "Request Your Consultation Now"
            assert call["enabled"] is False
        else:
            assert call is None
        assert section["image"] is None
        assert section["review"]["last_reviewed_on"] is None
        assert section["review"]["next_review_due_on"] is None


async def test_the_clinic_is_what_is_known_of_it(client: httpx.AsyncClient) -> None:
    """The clinic has one treatment, two conditions and a city; unknown values are null."""
    clinic = (await client.get("/v1/clinic")).json()
    assert (clinic["locality"], clinic["region"], clinic["country"]) == ("Portland", "Oregon", "US")
    assert clinic["time_zone"] == "America/Los_Angeles"
    assert clinic["name"] is None
    assert clinic["opening_hours"] is None
    assert clinic["contact"] == dict.fromkeys(("phone", "email", "website", "address"))
    assert [c["name"] for c in clinic["conditions"]] == ["Mood disorders", "Chronic pain"]
    [treatment] = clinic["treatments"]
    assert treatment["slug"] == "ketamine-infusion-therapy"
    assert treatment["name"] == "Ketamine infusion therapy"
    assert "help treat various mood disorders and chronic pain" in treatment["summary"]
    assert not re.search(r"\b(offers|offered|we)\b", treatment["summary"])


async def test_the_status_says_closed_and_no_more(client: httpx.AsyncClient) -> None:
    """The clinic is permanently closed; when, why and where its records went is null."""
    status = (await client.get("/v1/status")).json()
    assert status["state"] == "permanently_closed"
    assert "permanently closed" in status["headline"]
    assert "permanently closed" in status["message"]
    assert "does not mean that treatment is offered" in status["message"]
    assert status["effective_from"] is None
    assert status["reopens_on"] is None
    assert status["closure"] == dict.fromkeys(("records_contact", "records_url", "note"))
    assert status["alternatives"] == []
    assert status["safety_resources"] == []


async def test_the_form_speaks_its_agreed_words(client: httpx.AsyncClient) -> None:
    """The safety notice and the text of the consent are exactly the agreed ones."""
    form = (await client.get("/v1/consultation-requests/form")).json()
    assert form["safety_notice"] == (
        "This form is not for emergencies."
        " If you are in danger or in crisis, call your local emergency number."
    )
    [consent] = form["consents"]
    assert consent == {
        "purpose": "contact",
        "field": "consent_to_contact",
        "version": 1,
        "required": True,
        "text": "The clinic may use what I enter here to contact me about this request,"
        " and for nothing else.",
    }
