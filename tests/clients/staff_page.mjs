// The staff page: node staff_page.mjs, with SERVICE, TOKEN, and the requests' ids in REQUESTS.

import assert from "node:assert/strict";
import { browse, inspect } from "./browser.mjs";

const { SERVICE, TOKEN } = process.env;
const [FIRST, SECOND, THIRD] = JSON.parse(process.env.REQUESTS);
const NAME = `<img src=x onerror="document.title='owned'"> O'Neill`;

async function call(method, path, { body, headers } = {}) {
  const answer = await fetch(`${SERVICE}${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

const read = (id) => call("GET", `/v1/staff/consultation-requests/${id}`);

async function heading(page, text) {
  await page.getByRole("heading", { level: 1, name: text }).waitFor();
}

async function statusShows(page, text) {
  await page.getByRole("status").filter({ hasText: text }).waitFor();
}

await browse(async (page, context) => {
  await page.goto(`${SERVICE}/staff`);
  await heading(page, "Sign in");
  await inspect(page, "sign-in");
  await page.getByLabel("Token").fill("clinic_000000000000_wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "not known" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByLabel("Token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await heading(page, "Inbox");
  await page.getByText("3 requests").waitFor();
  await inspect(page, "inbox");

  // The token is only in the storage of this tab.
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.deepEqual(await context.cookies(), []);
  assert.ok(!page.url().includes(TOKEN));

  // The list is filtered by state; a request is opened with the keyboard alone.
  await page.getByLabel("State").selectOption("completed");
  await page.getByText("There is no such request.").waitFor();
  await page.getByLabel("State").selectOption("");
  await page.getByText("3 requests").waitFor();
  await page.getByLabel("Received").focus();
  await page.keyboard.press("Tab");
  const link = await page.evaluate(() => document.activeElement.getAttribute("href"));
  assert.equal(link, `#/requests/${THIRD}`);
  await page.keyboard.press("Enter");
  await heading(page, /Request of/);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  await page.goto(`${SERVICE}/staff#/requests/${FIRST}`);
  await page.getByText(NAME, { exact: true }).waitFor();
  assert.ok(!(await page.title()).includes("owned"));
  await inspect(page, "request");

  // Each change on the page is stored: state, assignee and note.
  await page.getByRole("button", { name: "Mark as contacted" }).click();
  await statusShows(page, "Contacted");
  // A note that is being written stays during other changes.
  await page.getByLabel("New note").fill("Called;\nrings <b>tomorrow</b>.");
  // An error page of a proxy does not count as an answer, also with a 401; the note stays.
  for (const [status, contentType, body] of [
    [502, "text/html", "<h1>Bad Gateway</h1>"],
    [502, "application/json", '{"detail": "of the proxy", "errors": "none"}'],
    [401, "text/html", "<h1>Who are you?</h1>"],
    [200, "text/html", "<h1>Welcome to our network</h1>"],
  ]) {
    await page.route("**/notes", (route) => route.fulfill({ status, contentType, body }));
    await page.getByRole("button", { name: "Save the note" }).click();
    await page.getByRole("alert").filter({ hasText: "The service cannot be reached." }).waitFor();
    assert.equal(await page.getByLabel("New note").inputValue(), "Called;\nrings <b>tomorrow</b>.");
    await page.unrouteAll({ behavior: "wait" });
    await page.reload();
    await page.getByLabel("New note").fill("Called;\nrings <b>tomorrow</b>.");
  }
  await page.getByRole("button", { name: "Assign to me" }).click();
  await statusShows(page, "It is assigned to you");
  await page.getByRole("button", { name: "Save the note" }).click();
  await statusShows(page, "The note is saved");
  await page.getByText("rings <b>tomorrow</b>.").waitFor();
  assert.equal(await page.getByLabel("New note").inputValue(), "");
  await page.getByLabel("Assign to another person").fill("Night shift");
  await page.getByRole("button", { name: "Hand over" }).click();
  await statusShows(page, "assigned to another person");
  await inspect(page, "request-noted");
  const moved = await read(FIRST);
  assert.deepEqual(
    [moved.state, moved.assigned_to, moved.notes[0].text, moved.notes[0].author],
    ["contacted", "Night shift", "Called;\nrings <b>tomorrow</b>.", "Front desk"],
  );

  // Of two concurrent changes the second is refused, and nothing is overwritten.
  await call("PATCH", `/v1/staff/consultation-requests/${FIRST}`, {
    body: { state: "scheduled" }, headers: { "If-Match": `"${moved.version}"` },
  });
  await page.getByRole("button", { name: "Decline" }).click();
  await statusShows(page, "Somebody else changed this request");
  assert.equal((await read(FIRST)).state, "scheduled");
  await page.getByRole("button", { name: "Mark as completed" }).waitFor();

  // Suspected spam is shown with its reason, and can be released.
  await page.goto(`${SERVICE}/staff#/requests/${SECOND}`);
  await page.getByText("This may be spam: a field that people do not see").waitFor();
  await inspect(page, "request-spam");
  await page.getByRole("button", { name: "This is not spam" }).click();
  await statusShows(page, "no longer marked");
  assert.equal((await read(SECOND)).quarantined, false);

  // Erasing needs a confirmation; the focus is on "Keep it", and Escape cancels.
  await page.getByRole("button", { name: "Erase…" }).click();
  await page.getByRole("dialog").waitFor();
  await inspect(page, "erase");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Erase…" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Keep it");
  await page.getByRole("button", { name: "Erase permanently" }).click();
  await heading(page, "Inbox");
  await page.getByText("2 requests").waitFor();

  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download all as CSV" }).click(),
  ]);
  assert.equal(file.suggestedFilename(), "consultation-requests.csv");

  // The effects of a status change are shown before it is made; it can be cancelled.
  await page.getByRole("link", { name: "Clinic status" }).click();
  await heading(page, "Clinic status");
  await page.getByText("time zone, America/Los_Angeles").first().waitFor();
  const preview = page.getByRole("button", { name: "Preview the change" });
  const make = page.getByRole("button", { name: "Change the status" });
  const dialog = page.getByRole("dialog");
  const plans = page.getByRole("region", { name: "Planned changes" });
  await page.getByLabel("State").selectOption("temporarily_closed");
  await page.getByLabel("Reopens on").fill("2031-05-01");
  await page.getByLabel("Open automatically").check();
  await page.getByLabel("Message").fill("The roof is being mended.");
  await inspect(page, "status");
  await preview.click();
  await dialog.getByText("Planned with it: Open, from May 1, 2031, 12:00 AM PDT.").waitFor();
  await inspect(page, "status-asked");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Change nothing");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  assert.equal((await call("GET", "/v1/status")).state, "open");
  await preview.click();
  await make.click();
  await statusShows(page, "The status is changed.");
  await page.getByRole("definition").filter({ hasText: "Temporarily closed" }).waitFor();
  await page.getByRole("definition").filter({ hasText: "The roof is being mended." }).waitFor();
  await plans.getByText("Open, from May 1, 2031, 12:00 AM PDT").waitFor();

  // A closure is planned for an ambiguous time; opening reports that it stays planned.
  await page.getByLabel("State").selectOption("permanently_closed");
  await page.getByLabel("From").fill("2031-11-02T01:30");
  await preview.click();
  await dialog.getByText("this is the first one").waitFor();
  await dialog.getByText("2 requests are open now").waitFor();
  await make.click();
  await dialog.waitFor();
  await page.getByLabel("Type permanently_closed").fill("permanently_closed");
  await inspect(page, "status-planning");
  await make.click();
  await statusShows(page, "The change is planned.");
  await plans.getByText("Permanently closed, from Nov 2, 2031, 1:30 AM PDT").waitFor();
  assert.equal((await call("GET", "/v1/staff/status-changes")).data[0].effective_from, "2031-11-02T08:30:00Z");
  await preview.click();
  await dialog.getByText("Stays planned: Permanently closed, from Nov 2, 2031, 1:30 AM PDT.").waitFor();
  await make.click();
  await statusShows(page, "The status is changed.");
  await inspect(page, "status-planned");
  await page.getByRole("button", { name: "Call off: Permanently closed" }).click();
  await statusShows(page, "The planned change is called off.");
  await plans.getByText("Permanently closed").waitFor({ state: "hidden" });
  assert.equal((await call("GET", "/v1/status")).next_change.state, "open");

  // A time in the past needs a confirmation.
  await page.getByLabel("From").fill("2020-01-31T09:00");
  await preview.click();
  await page.getByRole("alert").filter({ hasText: "This time is in the past." }).waitFor();
  await page.getByLabel("This time is in the past").check();
  await preview.click();
  await dialog.getByText("since Jan 31, 2020, 9:00 AM PST").waitFor();
  await page.keyboard.press("Escape");

  // Closing permanently calls off the plans, and needs the typed confirmation.
  await page.getByLabel("From").fill("");
  await page.getByLabel("State").selectOption("permanently_closed");
  await preview.click();
  await dialog.getByText("No longer planned: Open, from May 1, 2031").waitFor();
  await dialog.getByText("It closes out every open request; 2 requests are open.").waitFor();
  await page.getByLabel("Type permanently_closed").fill("yes");
  await make.click();
  assert.equal((await call("GET", "/v1/status")).state, "open");
  await page.getByLabel("Type permanently_closed").fill("permanently_closed");
  await inspect(page, "status-closing");
  await make.click();
  await page.getByText("2 open requests were closed out.").waitFor();
  await plans.getByText("None.").waitFor();
  await inspect(page, "status-closed");
  const [handover] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download them for the hand-over" }).click(),
  ]);
  assert.equal(handover.suggestedFilename(), "consultation-requests.csv");

  // A reload keeps the user signed in; a revoked token signs the user out.
  await page.reload();
  await heading(page, "Clinic status");
  const me = await call("GET", "/v1/staff/me");
  await call("DELETE", `/v1/staff/tokens/${me.id}`);
  await page.getByRole("link", { name: "Inbox" }).click();
  await heading(page, "Sign in");
  await page.getByRole("alert").filter({ hasText: "You were signed out" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
}, { timezoneId: "Asia/Tokyo", expected: /status of (4\d\d|502)/ });
