// The served form in form libraries with their default settings: node forms/fill.mjs, with SERVICE.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { browse } from "../browser.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TOPIC = /What is your request about\?/;

const topic = (page) => page.getByRole("combobox", { name: TOPIC });
async function selectTopic(page) {
  assert.equal(await topic(page).inputValue(), "");
  await topic(page).selectOption({ label: "Chronic pain" });
}
const LIBRARIES = {
  "rjsf.jsx": selectTopic,
  "rjsf-mui.jsx": async (page) => {
    await topic(page).click();
    await page.getByRole("option", { name: "Chronic pain" }).click();
  },
  "jsonforms.jsx": selectTopic,
  "formly.js": selectTopic,
  "json-editor.js": selectTopic,
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
  // A library may set `false` or "", which is not a selected value.
  const chosen = await page.evaluate(() => Object.entries(filled).filter(([, value]) => value));
  assert.deepEqual(chosen, [], library);
}

// Fills in the required fields only, and sends the form.
async function ask(page, chooseTopic) {
  const consent = page.getByRole("checkbox", { name: /The clinic may use/ });
  assert.equal(await consent.isChecked(), false);
  await page.getByRole("textbox", { name: "Your name" }).fill("Robin");
  await page.getByRole("textbox", { name: "E-mail address" }).fill("robin@example.com");
  await chooseTopic(page);
  // Uses the keyboard: a library moves elements when a field loses the focus, so a click may miss.
  await consent.press("Space");
  await page.getByRole("button", { name: "Submit" }).press("Enter");
  await page.getByText(/^accepted [0-9a-f-]{36}$/).waitFor();
}

try {
  await browse(async (page) => {
    for (const [file, chooseTopic] of Object.entries(LIBRARIES)) {
      const library = file.split(".")[0];
      await open(page, library);
      await ask(page, chooseTopic);
      // In the default dialect the library selects no value by itself either.
      await open(page, library, "enum");
    }
  });
} finally {
  site.close();
}
