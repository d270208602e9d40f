// The example site in every state of the clinic: node site.mjs, with the URLs of the services in SERVICES.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import net from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { browse, inspect } from "./browser.mjs";

const SITE = fileURLToPath(new URL("../../docs/examples/site", import.meta.url));
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };
const SERVICES = JSON.parse(process.env.SERVICES);

// A TCP proxy to one of the services (`to`) or to none; it can lose the answers with a receipt.
const proxy = { to: null, losesAnswers: false, lost: "" };
const RECEIPT = /"id":"([^"]+)".*"receipt_token"/s;
const open = new Set();
const service = net.createServer((client) => {
  open.add(client.on("error", () => {}).on("close", () => open.delete(client)));
  if (proxy.to === null) return client.destroy();
  const { hostname, port } = new URL(SERVICES[proxy.to]);
  const clinic = net.connect(port, hostname).on("error", () => client.destroy());
  client.pipe(clinic).on("close", () => client.destroy());
  client.on("close", () => clinic.destroy());
  clinic.on("data", (bytes) => {
    if (proxy.losesAnswers) proxy.lost += bytes;
    if (RECEIPT.test(proxy.lost) && proxy.losesAnswers) client.destroy();
    else client.write(bytes);
  });
});

function connectTo(to) {
  proxy.to = to;
  for (const client of open) client.destroy();
}

const site = createServer(async (request, answer) => {
  const { pathname } = new URL(request.url, "http://site");
  const type = TYPES[extname(pathname)];
  if (!type) return answer.writeHead(404).end();
  answer.setHeader("Content-Type", type);
  answer.end(pathname === "/config.js"
    ? `export const SERVICE = "http://127.0.0.1:${service.address().port}";`
    : await readFile(SITE + pathname));
});
const listening = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
await Promise.all([listening(service), listening(site)]);
const at = (path) => `http://127.0.0.1:${site.address().port}/${path}`;

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const alertShows = (page, text) => page.getByRole("alert").filter({ hasText: text }).waitFor();
const send = (page) => page.getByRole("button", { name: "Send the request" });
const live = (page) => page.locator("a.action");

async function fillIn(page) {
  await page.getByLabel("Your name").fill("Robin Canary");
  await page.getByLabel("Phone number").fill("(503) 227-1212");
  await page.getByLabel("By phone").check();
  await page.getByLabel("What is your request about?").selectOption({ label: "Chronic pain" });
  await page.getByLabel(/The clinic may use/).check();
}

// Asserts that what was typed is only in the form: not in a storage, a cookie or the URL.
async function keepsNothing(page) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  for (const typed of ["Canary", "227-1212", "chronic"]) assert.ok(!(kept + page.url()).includes(typed), kept);
}

async function texts(page) {
  await page.goto(at("index.html"));
  await heading(page, "Clinic in Portland, Oregon");
  await page.getByText("The clinic is open").waitFor();
  await inspect(page, "site-open-home");
  await page.getByRole("link", { name: "How can we help you?" }).click();
  await heading(page, "How can we help you?");
  await page.getByText("should not replace a formal consult").waitFor();
  assert.equal(await live(page).textContent(), "Request Your Consultation Now");
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
  assert.equal(await page.locator("main h2:visible").count(), 1);
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
  await page.getByLabel("Phone number").fill("(503) 227-1212");

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

async function receipt(page) {
  await page.getByText("Please keep your receipt").waitFor();
  await page.getByRole("definition").filter({ hasText: "Received" }).waitFor();
  await inspect(page, "site-receipt");
  const [id, code] = await page.locator("dd code").allTextContents();
  await page.getByRole("button", { name: "Copy both" }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `Reference: ${id}\nCode: ${code}`);
  assert.ok(!page.url().includes(code));

  // Without the service the last known state is shown.
  connectTo(null);
  await page.reload();
  await alertShows(page, "This is the last known state.");
  await page.getByText(id, { exact: true }).waitFor();
  connectTo("open");

  // The receipt is removed, and found again with the reference and the code.
  await page.getByRole("button", { name: "Forget them" }).click();
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
  await page.goto(at(`receipt.html#id=${id}&token=${code}`));
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
  for (const href of ["tel:+1 503 555 0100", "mailto:desk@clinic.example", "https://clinic.example/", "https://hilltop.example/", "tel:988"]) {
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
  await page.locator(".notices").filter({ hasText: words }).waitFor();
}

async function closesMeanwhile(page) {
  await page.goto(at("request.html"));
  await fillIn(page);
  connectTo("closed");
  await send(page).click();
  await alertShows(page, "Nothing was stored.");
  await page.getByRole("region", { name: "The clinic's status" }).filter({ hasText: "permanently closed" }).waitFor();
  assert.equal(await page.locator("form").count(), 0);
  await inspect(page, "site-closed-meanwhile");
}

async function away(page) {
  for (const path of ["index.html", "section.html?slug=how-we-can-help", "questions.html", "request.html"]) {
    await page.goto(at(path));
    await heading(page, "The clinic's service cannot be reached");
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
  ["open", outdated],
  ["announcing", announced],
  ["waitlist", waitlist],
  ["paused", (page) => notTaking(page, "paused", "temporarily closed")],
  ["closed", (page) => notTaking(page, "closed", "permanently closed")],
  ["open", closesMeanwhile],
  [null, away],
];

try {
  for (const [clinic, visit] of visits) {
    connectTo(clinic);
    await browse(visit, { expected: CUT });
  }
} finally {
  connectTo(null);
  site.close();
  service.close();
}
