// The served form in form libraries with their default settings: node forms/fill.mjs, with SERVICE.
// LABELS has the labels of the clinic's questions; with them, two questions are answered, and TOKEN
// is used to read the answers.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { browse } from "../browser.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TOPIC = /What is your request about\?/;
const LABELS = JSON.parse(process.env.LABELS ?? "[]");

async function select(page, name, label) {
  const list = page.getByRole("combobox", { name });
  assert.equal(await list.inputValue(), "");
  await list.selectOption({ label });
}
const LIBRARIES = {
  "rjsf.jsx": select,
  "rjsf-mui.jsx": async (page, name, label) => {
    await page.getByRole("combobox", { name }).click();
    await page.getByRole("option", { name: label, exact: true }).click();
  },
  "jsonforms.jsx": select,
  "formly.js": select,
  "json-editor.js": select,
};

const built = await build({
  entryPoints: Object.keys(LIBRARIES).map((name) => HERE + name),
  bundle: true, splitting: true, write: false, format: "esm", jsx: "automatic", outdir: "/",
  logLevel: "error", define: { "process.env.NODE_ENV": '"production"' },
});
const scripts = Object.fromEntries(built.outputFiles.map((file) => [file.path, file.contents]));

// The page has another origin than the service, like every frontend.
const site = createServer((request, answer) => {
  const path = new URL(request.url, "http://site").pathname;
  if (path in scripts) return answer.setHeader("Content-Type", "text/javascript").end(scripts[path]);
  answer.setHeader("Content-Type", "text/html");
  answer.end(`<!doctype html><title>Form</title><link rel="icon" href="data:,">
    <div id="form"></div><script type="module" src="${path}.js"></script>`);
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));

async function open(page, library, dialect = "") {
  const query = new URLSearchParams({ service: process.env.SERVICE, dialect });
  await page.goto(`http://127.0.0.1:${site.address().port}/${library}?${query}`);
  await page.waitForFunction(() => globalThis.filled);
  assert.deepEqual(chosen(await page.evaluate(() => filled)), [], library);
}

// A library may set `false`, "" or an empty list, which is not a selected value.
function chosen(value) {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(chosen) : value ? [value] : [];
}

async function answer(page, choose) {
  // json-editor also has hidden labels.
  for (const label of LABELS) await page.getByText(label).filter({ visible: true }).first().waitFor();
  await choose(page, /Do you smoke\?/, "Yes");
  await page.getByLabel("Your age").filter({ visible: true }).fill("34");
}

async function readAnswers(id) {
  const headers = { Authorization: `Bearer ${process.env.TOKEN}` };
  const request = await fetch(`${process.env.SERVICE}/v1/staff/consultation-requests/${id}`, { headers });
  return (await request.json()).sent.answers;
}

// Fills in the required fields only, and sends the form.
async function ask(page, choose) {
  const consent = page.getByRole("checkbox", { name: /The clinic may use/ });
  assert.equal(await consent.isChecked(), false);
  await page.getByRole("textbox", { name: "Your name" }).fill("Robin");
  await page.getByRole("textbox", { name: "E-mail address" }).fill("robin@example.com");
  await choose(page, TOPIC, "Chronic pain");
  if (LABELS.length) await answer(page, choose);
  // Uses the keyboard: a library moves elements when a field loses the focus, so a click may miss.
  await consent.press("Space");
  await page.getByRole("button", { name: "Submit" }).press("Enter");
  const said = await page.locator("output", { hasText: /^(accepted|\[)/ }).textContent();
  assert.match(said, /^accepted [0-9a-f-]{36}$/);
  const id = said.split(" ")[1];
  assert.deepEqual(await readAnswers(id), LABELS.length ? { smoker: "yes", age: 34 } : {});
}

try {
  await browse(async (page) => {
    for (const [file, choose] of Object.entries(LIBRARIES)) {
      const library = file.split(".")[0];
      await open(page, library);
      try {
        await ask(page, choose);
      } catch (error) {
        throw new Error(`${library}: ${await page.locator("#form").innerText()}`, { cause: error });
      }
      // In the default dialect the library selects no value by itself either.
      await open(page, library, "enum");
    }
  });
} finally {
  site.close();
}
