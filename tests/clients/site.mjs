// The example site in every state of the clinic: node site.mjs, with the URLs of the services in SERVICES.

import assert from "node:assert/strict";
import { browse, inspect as inspectIn } from "./browser.mjs";
import { withQuestions } from "./site_form.mjs";
import { at, connectTo, proxy, RECEIPT, SERVICES, stop } from "./site_server.mjs";

const inspect = (page, name) => inspectIn(page, name, { schemes: ["light", "dark"] });
const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const alertShows = (page, text) => page.getByRole("alert").filter({ hasText: text }).waitFor();
const send = (page) => page.getByRole("button", { name: "Send the request" });
const live = (page) => page.locator("a.action");
const description = (page) => page.locator("meta[name=description]").getAttribute("content");
const listed = (page) => page.getByRole("navigation").getByRole("link").allTextContents();
const get = async (clinic, path) => (await fetch(SERVICES[clinic] + path)).json();

// Changes what the service answers.
async function answering(page, path, change) {
  await page.route(`**/v1/${path}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: change(await response.json()) });
  });
}

async function fillIn(page) {
  await page.getByLabel("Your name").fill("Robin Canary");
  await page.getByLabel("Phone number").fill("(503) 555-0142");
  await page.getByLabel("By phone").check();
  await page.getByLabel("What is your request about?").selectOption({ label: "Chronic pain" });
  await page.getByLabel(/The clinic may use/).check();
}

// Asserts that what was typed is only in the form: not in a storage, a cookie or the URL.
async function keepsNothing(page) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  for (const typed of ["Canary", "555-0142", "chronic"]) assert.ok(!(kept + page.url()).includes(typed), kept);
}

async function texts(page) {
  await page.goto(at("index.html"));
  await heading(page, "Clinic in Portland, Oregon");
  await page.getByText("The clinic is open").waitFor();
  assert.equal(await page.title(), "Clinic in Portland, Oregon");
  assert.match(await description(page), /^Clinic in Portland, Oregon\. The clinic is open\./);
  assert.deepEqual(await listed(page), ["The clinic", "Questions", "Request a consultation", "Your request"]);
  await inspect(page, "site-open-home");
  await page.getByRole("link", { name: "How can we help you?" }).click();
  await heading(page, "How can we help you?");
  await page.getByText("should not replace a formal consult").waitFor();
  assert.equal(await live(page).textContent(), "Request Your Consultation Now");
  assert.equal(await page.title(), "How can we help you? – Clinic in Portland, Oregon");
  assert.equal(await description(page), (await get("open", "/v1/sections/how-we-can-help")).summary);
  await inspect(page, "site-open-section");

  // A section links to the answers of its questions.
  await page.getByRole("link", { name: "Where is the clinic?" }).click();
  await heading(page, "Questions and answers");
  const named = page.locator("details#where-is-the-clinic");
  await named.getByText("should not replace a formal consult").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Where is the clinic?");
  await page.keyboard.press("Enter");
  assert.equal(await named.getAttribute("open"), null);
  await page.getByLabel("Search").fill("Bàttlefield úsed on");
  await page.getByText("2 of 27 questions").waitFor();
  assert.equal(await page.locator("section > details:visible").count(), 2);
  assert.deepEqual(await page.locator("main h2:visible").allTextContents(), ["Ketamine"]);
  await page.locator("details:visible summary").first().press("Enter");
  await page.locator("details[open] .text").waitFor();
  await inspect(page, "site-open-search");
  await page.getByLabel("Search").fill("nothing like this");
  await page.getByText("No question has all of these words.").waitFor();
  await page.getByLabel("Search").fill("");
  await inspect(page, "site-open-questions");
  await page.goto(at("section.html?slug=unknown"));
  await heading(page, "This cannot be shown");
}

// What the service may leave out or add: unknown dates, another language, names of topics.
async function textsChanged(page) {
  const undated = (text) => ({ ...text, published_at: null, updated_at: null, locale: "es-MX" });
  const topics = [{ slug: "off-label", name: "Off-label use" }, { slug: "unused", name: "Unused" }];
  await answering(page, "sections/*", undated);
  await answering(page, "faqs*", ({ data, meta }) => ({ data: data.map(undated), meta: { ...meta, topics } }));
  await answering(page, "status", (status) => ({ ...status, alternatives: null, safety_resources: null, updated_at: null }));
  await page.goto(at("section.html?slug=how-we-can-help"));
  await page.getByText("When it was last reviewed is not known.").waitFor();
  assert.equal(await page.getAttribute("html", "lang"), "es-MX");
  assert.doesNotMatch(await page.innerText("body"), /Last changed|20\d\d/);
  await page.goto(at("questions.html"));
  await heading(page, "Questions and answers");
  assert.deepEqual(await page.locator("main h2:visible").allTextContents(), ["Off-label use", "Clinic", "Ketamine", "How it works"]);
  assert.doesNotMatch(await page.locator("main").textContent(), /Last changed|20\d\d/);
  await answering(page, "sections/*", (text) => ({ ...text, updated_at: "2031-04-01T09:00:00Z", locale: "es-MX" }));
  await page.goto(at("section.html?slug=how-we-can-help"));
  await page.getByText("Last changed on 1 de abril de 2031.").waitFor();
}

async function request(page) {
  await page.goto(at("index.html"));
  await live(page).click();
  await heading(page, "Request a consultation");
  await page.getByText("This form is not for emergencies").waitFor();
  // The form has no value in advance, and no consent.
  assert.equal(await page.locator("main input:checked").count(), 0);
  assert.equal(await page.getByLabel("What is your request about?").inputValue(), "");
  await inspect(page, "site-open-form");

  await send(page).click();
  await alertShows(page, "Please enter your name.");
  const name = page.getByLabel("Your name");
  assert.equal(await name.getAttribute("aria-invalid"), "true");
  const words = await name.evaluate((input) => input.getAttribute("aria-describedby").split(" ")
    .map((id) => document.getElementById(id)?.textContent).join(" "));
  assert.match(words, /Please enter your name\./);
  assert.equal(await page.locator("[aria-invalid=true]").count(), 5);
  await inspect(page, "site-open-faults");
  await page.getByRole("link", { name: "Please choose what your request is about" }).press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SELECT");

  // A corrected field is no longer marked; only the remaining fault is reported.
  await fillIn(page);
  await page.getByLabel("Phone number").fill("12");
  assert.equal(await name.getAttribute("aria-invalid"), null);
  await send(page).click();
  await alertShows(page, "Please check your phone number");
  assert.equal(await page.locator(".jedi-error-message:visible").count(), 1);
  assert.equal(await page.locator("[aria-invalid=true]").count(), 1);
  await page.getByLabel("Phone number").fill("(503) 555-0142");

  // Without the service, and with a lost answer, the request is stored once, and the form keeps its values.
  connectTo(null);
  await send(page).click();
  await alertShows(page, "It could not be sent");
  assert.equal(await name.inputValue(), "Robin Canary");
  await inspect(page, "site-open-away");
  connectTo("open");
  // An error page of a proxy does not count as an answer of the service.
  for (const [status, contentType] of [[502, "text/html"], [502, "application/json"], [201, "text/html"]]) {
    const headers = { "Access-Control-Allow-Origin": "*" };
    const body = '{"detail": "of the proxy", "errors": "none"}';
    await page.route("**/v1/consultation-requests", (route) => route.fulfill({ status, contentType, headers, body }));
    await send(page).click();
    await page.getByRole("status").filter({ hasText: "Sending…" }).waitFor({ state: "detached" });
    await alertShows(page, "It could not be sent");
    assert.equal(await name.inputValue(), "Robin Canary");
    await page.unrouteAll({ behavior: "wait" });
  }
  proxy.losesAnswers = true;
  await send(page).click();
  while (!RECEIPT.test(proxy.lost)) await new Promise((resolve) => setTimeout(resolve, 20));
  await alertShows(page, "It could not be sent");
  proxy.losesAnswers = false;
  await keepsNothing(page);
  await send(page).click();
  await heading(page, "Your request");
  await keepsNothing(page);
  const [, stored] = proxy.lost.match(RECEIPT);
  await page.getByText(stored, { exact: true }).waitFor();
}

// The form changes before it is sent: the values are copied to the new form.
async function outdated(page) {
  await page.route("**/consultation-requests/form", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), version: 0 } });
  });
  await page.goto(at("request.html"));
  await fillIn(page);
  await page.unrouteAll({ behavior: "wait" });
  await send(page).click();
  await alertShows(page, "The form has changed.");
  assert.equal(await page.getByLabel("Your name").inputValue(), "Robin Canary");
  assert.equal(await page.getByLabel("What is your request about?").inputValue(), "chronic_pain");
  assert.equal(await page.locator("main input:checked").count(), 2);
  await inspect(page, "site-open-outdated");
  await send(page).click();
  await heading(page, "Your request");
}

// A form with questions and consents of the clinic.
async function questions(page) {
  await answering(page, "consultation-requests/form", (form) => withQuestions(form, { prefixed: false }));
  await page.goto(at("request.html"));
  await heading(page, "Request a consultation");
  const labels = await page.locator("form").innerText();
  await page.unrouteAll({ behavior: "wait" });
  await answering(page, "consultation-requests/form", withQuestions);
  await page.goto(at("request.html"));
  await heading(page, "Request a consultation");
  assert.equal(await page.locator("form").innerText(), labels);
  assert.equal(await page.locator("main input:checked").count(), 0);
  await inspect(page, "site-questions-form");

  // The service's faults are shown at the questions, and their links lead there.
  const sent = [];
  const faults = [
    ["#/consents/newsletter", "Please answer about the news."], ["#/answers/children", "Please enter a whole number."],
    ["#/answers/days", "Please answer this question."], ["#/answers/first_visit", "Please answer this question."],
    ["#/answers", "A fault of no field."],
  ].map(([pointer, detail]) => ({ pointer, code: "x.invalid", detail }));
  await page.route("**/v1/consultation-requests", (route) => {
    sent.push(route.request().postDataJSON());
    return route.fulfill({
      status: 422, contentType: "application/problem+json", headers: { "Access-Control-Allow-Origin": "*" },
      json: { type: "/problems/invalid-request", title: "", status: 422, detail: "Please check it.", errors: faults },
    });
  });
  await page.getByLabel("How many children").fill("two");
  await send(page).click();
  await alertShows(page, "Which days suit you?");
  assert.deepEqual(sent[0].answers, { children: "two" });
  assert.ok(!("consents" in sent[0]));
  assert.equal(await page.locator(".jedi-error-message:visible").count(), 4);
  assert.deepEqual(await page.locator(".faults li").allTextContents(), [
    "A fault of no field.",
    "Is this your first visit? – Please answer this question.",
    "Which days suit you? – Please answer this question.",
    "How many children come with you? – Please enter a whole number.",
    "The clinic may send me news. – Please answer about the news.",
  ]);
  await inspect(page, "site-questions-faults");
  await page.getByRole("link", { name: "Which days suit you?" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.value), "monday");

  await fillIn(page);
  await page.getByLabel("No", { exact: true }).check();
  await page.getByLabel("Which language").selectOption({ label: "Spanish" });
  await page.getByLabel("Friday").check();
  await page.getByLabel("Monday").check();
  await page.getByLabel("Who referred you?").fill("Dr. Gray");
  await page.getByLabel("How many children").fill("0");
  await page.getByLabel("From which day on?").fill("2031-04-01");
  await page.getByLabel("The clinic may send me news.").check();
  assert.equal(await page.locator(".jedi-error-message:visible").count(), 0);
  await send(page).click();
  await alertShows(page, "Which days suit you?");
  const { seconds_to_complete: seconds, website, ...request } = sent[1];
  assert.deepEqual(request, {
    name: "Robin Canary", phone: "(503) 555-0142", preferred_contact: "phone", topic: "chronic_pain", consent_to_contact: true,
    answers: { first_visit: "no", language: "es", days: ["friday", "monday"], referred_by: "Dr. Gray", children: 0, from_day: "2031-04-01" },
    consents: { newsletter: true },
    form_version: (await get("open", "/v1/consultation-requests/form")).version,
    locale: "en-US",
  });
}

async function receipt(page) {
  await page.getByText("Please keep your receipt").waitFor();
  await page.getByRole("definition").filter({ hasText: "Received" }).waitFor();
  await inspect(page, "site-receipt");
  const [id, code] = await page.locator("dd code").allTextContents();
  const link = at(`receipt.html#id=${id}&token=${code}`);
  await page.getByText("Anyone who has the link can do the same.").waitFor();
  await page.getByRole("button", { name: "Copy the link" }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  assert.ok(!page.url().includes(code));
  await page.evaluate(() => { window.print = () => { window.printed = true; }; });
  await page.getByRole("button", { name: "Print" }).click();
  assert.ok(await page.evaluate(() => window.printed));
  await prints(page, { id, link });

  // The link opens it in the same tab, too.
  await page.getByRole("link", { name: link }).click();
  await page.waitForURL(at("receipt.html"));
  await page.getByRole("definition").filter({ hasText: "Received" }).waitFor();

  // Without the service the last known state is shown.
  connectTo(null);
  await page.reload();
  await alertShows(page, "This is the last known state.");
  await page.getByText(id, { exact: true }).waitFor();
  connectTo("open");

  // The receipt is removed, and found again with the reference and the code.
  await page.getByRole("button", { name: "Forget it" }).click();
  await page.getByLabel("Reference").fill(id);
  await page.getByLabel("Code").fill("“wrong”");
  await page.keyboard.press("Enter");
  await alertShows(page, "No request has this reference and this code.");
  await inspect(page, "site-receipt-unknown");
  await page.getByLabel("Code").fill(` ${code} `);
  await page.keyboard.press("Enter");
  await page.getByRole("definition").filter({ hasText: "Received" }).waitFor();

  // The link in an e-mail shows it too, also after a failed first try; the code leaves the address bar.
  await page.goto(at("index.html"));
  await page.evaluate(() => sessionStorage.clear());
  connectTo(null);
  await page.goto(link);
  await heading(page, "The clinic's service cannot be reached");
  connectTo("open");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("definition").filter({ hasText: "Received" }).waitFor();
  assert.equal(page.url(), at("receipt.html"));
  await page.getByText(code, { exact: true }).waitFor();

  // Withdrawing needs a confirmation; the focus is on "Keep it", and Escape cancels.
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Withdraw the request…" }).press("Enter");
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Keep it");
  await inspect(page, "site-withdraw");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Withdraw the request…" }).click();
  connectTo(null);
  await page.getByRole("button", { name: "Withdraw it" }).click();
  await alertShows(page, "was perhaps not withdrawn");
  connectTo("open");
  await page.getByRole("button", { name: "Withdraw it" }).click();
  await page.getByRole("definition").filter({ hasText: "Withdrawn" }).waitFor();
  await page.getByText("what you entered is erased").waitFor();
  assert.equal(await page.getByRole("button", { name: "Withdraw" }).count(), 0);
  await inspect(page, "site-withdrawn");
  const answer = await fetch(`${SERVICES.open}/v1/consultation-requests/${id}`, { headers: { Authorization: `Bearer ${code}` } });
  assert.equal((await answer.json()).state, "withdrawn");

  // An erased request is not reported as an unreachable service.
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("receipt"));
    sessionStorage.setItem("receipt", JSON.stringify({ ...kept, id: kept.id.replace(/^./, (x) => (x === "0" ? "1" : "0")) }));
  });
  await page.reload();
  await alertShows(page, "There is no longer a request for your receipt.");
  await page.getByLabel("Reference").waitFor();
}

// A printed receipt has its purpose, reference and link, and no state, which can change.
async function prints(page, { id, link }) {
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const printed = await page.innerText("body");
  for (const words of ["Clinic in Portland, Oregon", "The receipt of a request for a consultation.", id, link, "Anyone who has the link"]) {
    assert.ok(printed.includes(words), `${words} is not in ${printed}`);
  }
  for (const words of ["State", "Questions", "The clinic is open", "Copy", "Copied.", "Withdraw the request", "This tab"]) {
    assert.ok(!printed.includes(words), `${words} is in ${printed}`);
  }
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("dd")).color), "rgb(29, 39, 51)");
  if (process.env.PICTURES) await page.pdf({ path: `${process.env.PICTURES}/site-receipt.pdf`, format: "Letter" });
  await page.emulateMedia({ media: null, colorScheme: null });
}

async function waitlist(page) {
  await page.goto(at("request.html"));
  await page.getByText("The clinic keeps a waiting list").waitFor();
  await inspect(page, "site-waitlist-form");
  await fillIn(page);
  await send(page).click();
  await page.getByRole("definition").filter({ hasText: "On the waiting list" }).waitFor();
}

// A clinic with all optional information.
async function announced(page) {
  await page.goto(at("index.html"));
  await heading(page, "Riverside Clinic");
  const hrefs = await page.locator("main a, #status a").evaluateAll((links) => links.map((link) => link.href));
  for (const href of ["tel:+1 503 555 0100", "mailto:desk@example.com", "https://riverside.example.com/", "https://hilltop.example.com/", "tel:988"]) {
    assert.ok(hrefs.includes(href), `${href} is not in ${hrefs}`);
  }
  for (const words of ["1 River Street", /^Monday: 9:00.AM to 5:30.PM$/, /^From April 1, 2031.*: The clinic is temporarily closed/]) {
    await page.getByText(words).waitFor();
  }
  await inspect(page, "site-announced");
}

// No page has an enabled button or a form; the texts show the clinic's status.
async function notTaking(page, state, words) {
  for (const path of ["index.html", "section.html?slug=how-we-can-help", "questions.html", "request.html"]) {
    await page.goto(at(path));
    await page.getByRole("region", { name: "The clinic's status" }).filter({ hasText: words }).waitFor();
    await page.locator("main h1").waitFor();
    assert.equal(await live(page).count(), 0, path);
    assert.equal(await page.locator("form").count(), 0, path);
    await inspect(page, `site-${state}-${path.split(".")[0]}`);
  }
  await page.goto(at("section.html?slug=how-we-can-help"));
  await page.locator(".action.off").waitFor();
  await page.locator(".notices").filter({ hasText: "should not replace a formal consult" }).waitFor();
}

// A page has the status once, also where each text has it as a notice.
async function saysItOnce(page, clinic) {
  const { message } = await get(clinic, "/v1/status");
  for (const path of ["index.html", "section.html?slug=how-we-can-help", "questions.html", "request.html", "receipt.html"]) {
    await page.goto(at(path));
    await page.locator("main h1").waitFor();
    const words = await page.locator("body").textContent();
    assert.equal(words.split(message).length, 2, path);
    assert.doesNotMatch(words, /this form/i, path);
  }
}

async function paused(page) {
  await notTaking(page, "temporarily-closed", "temporarily closed");
  await saysItOnce(page, "temporarily_closed");
  await page.goto(at("request.html"));
  await heading(page, "Requests for a consultation");
  await page.getByRole("main").getByText("The clinic is not taking requests for a consultation at the moment.").waitFor();
  // The clinic's own words, where the service has them.
  await answering(page, "status", (status) => ({
    ...status, consultations: { ...status.consultations, message: "Requests are taken again in May." },
  }));
  for (const path of ["index.html", "request.html"]) {
    await page.goto(at(path));
    await page.getByRole("main").getByText("Requests are taken again in May.").waitFor();
    assert.ok(!(await page.innerText("main")).includes("not taking requests"), path);
  }
}

async function closed(page) {
  await notTaking(page, "permanently-closed", "permanently closed");
  await saysItOnce(page, "permanently_closed");
  for (const path of ["index.html", "section.html?slug=how-we-can-help", "questions.html", "request.html", "receipt.html"]) {
    await page.goto(at(path));
    await page.locator("main h1").waitFor();
    assert.deepEqual(await listed(page), ["The clinic", "Questions", "Your request"], path);
    assert.equal(await page.locator('a[href="request.html"]').count(), 0, path);
  }
  await page.goto(at("request.html"));
  await heading(page, "Requests for a consultation");
  await page.getByText("The clinic no longer takes requests for a consultation.").waitFor();
  await page.getByRole("link", { name: "Back to the clinic's information" }).click();
  await heading(page, "Clinic in Portland, Oregon");
}

async function closesMeanwhile(page) {
  await page.goto(at("request.html"));
  await fillIn(page);
  connectTo("permanently_closed");
  await send(page).click();
  await alertShows(page, "Nothing was stored.");
  await page.getByRole("region", { name: "The clinic's status" }).filter({ hasText: "permanently closed" }).waitFor();
  assert.equal(await page.locator("form").count(), 0);
  assert.deepEqual(await listed(page), ["The clinic", "Questions", "Your request"]);
  await inspect(page, "site-closed-meanwhile");
}

async function away(page) {
  for (const path of ["index.html", "section.html?slug=how-we-can-help", "questions.html", "request.html"]) {
    await page.goto(at(path));
    await heading(page, "The clinic's service cannot be reached");
    assert.deepEqual(await listed(page), ["The clinic", "Questions", "Your request"], path);
    assert.equal(await live(page).count(), 0, path);
    assert.equal(await page.locator("form").count(), 0, path);
  }
  await inspect(page, "site-away");
  connectTo("open");
  await page.getByRole("button", { name: "Try again" }).click();
  await heading(page, "Request a consultation");
}

const CUT = /status of (4\d\d|502)|net::ERR_/;
const visits = [
  ["open", texts],
  ["open", async (page, context) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await request(page);
    await receipt(page);
  }],
  ["open", textsChanged],
  ["open", questions],
  ["open", outdated],
  ["announcing", announced],
  ["waitlist", waitlist],
  ["temporarily_closed", paused],
  ["permanently_closed", closed],
  ["open", closesMeanwhile],
  [null, away],
];

try {
  for (const [clinic, visit] of visits) {
    connectTo(clinic);
    await browse(visit, { expected: CUT });
  }
} finally {
  stop();
}
