// The served form in two libraries, as it is: node forms/fill.mjs, with SERVICE.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { browse } from "../browser.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const LIBRARIES = ["rjsf", "jsonforms"];

const built = await build({
  entryPoints: LIBRARIES.map((name) => `${HERE}${name}.jsx`),
  bundle: true, write: false, format: "esm", jsx: "automatic", outdir: "/", logLevel: "error",
  define: { "process.env.NODE_ENV": '"production"' },
});
const scripts = Object.fromEntries(built.outputFiles.map((file) => [file.path, file.contents]));

// Another origin than the service's, as it is for every frontend.
const site = createServer((request, answer) => {
  const path = new URL(request.url, "http://site").pathname;
  if (path in scripts) return answer.setHeader("Content-Type", "text/javascript").end(scripts[path]);
  answer.setHeader("Content-Type", "text/html");
  answer.end(`<!doctype html><title>Form</title><link rel="icon" href="data:,">
    <div id="form"></div><script type="module" src="${path}.js"></script>`);
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
const page = (library) =>
  `http://127.0.0.1:${site.address().port}/${library}?service=${encodeURIComponent(process.env.SERVICE)}`;

const accepted = (page) => page.getByText(/^accepted [0-9a-f-]{36}$/).waitFor();

// Nobody agrees to anything, or is asked about anything, that they did not choose.
async function untouched(page) {
  assert.equal(await page.getByLabel(/The clinic may use/).isChecked(), false);
  assert.equal(await page.getByLabel("What is your request about?").inputValue(), "");
}

try {
  await browse(async (browser) => {
    await browser.goto(page("rjsf"));
    await browser.getByLabel("Your name").waitFor();
    await untouched(browser);
    await browser.getByRole("button", { name: "Submit" }).click();
    // Its own validation knows what is needed: name, topic, consent, and one way to reply.
    const faults = browser.locator(".panel-danger li");
    await faults.first().waitFor();
    const told = (await faults.allTextContents()).join("; ");
    for (const part of ["Your name", "Phone number", "What is your request about?", "The clinic may use"]) {
      assert.ok(told.includes(part), told);
    }
    await browser.getByLabel("Your name").fill("Robin");
    await browser.getByLabel("Phone number").fill("(503) 227-1212");
    await browser.getByLabel("What is your request about?").selectOption({ label: "Chronic pain" });
    await browser.getByLabel(/The clinic may use/).check();
    await browser.getByRole("button", { name: "Submit" }).click();
    await accepted(browser);

    await browser.goto(page("jsonforms"));
    await browser.locator("#faults").filter({ hasText: /^[1-9]/ }).waitFor();
    await untouched(browser);
    await browser.getByLabel("Your name").fill("Robin");
    await browser.getByLabel("E-mail address").fill("robin@example.com");
    await browser.getByLabel("What is your request about?").selectOption({ label: "Chronic pain" });
    // A click would miss: the library moves what is below the field that loses the focus.
    await browser.getByLabel(/The clinic may use/).press("Space");
    await browser.locator("#faults").filter({ hasText: /^0/ }).waitFor();
    await browser.getByRole("button", { name: "Submit" }).press("Enter");
    await accepted(browser);
  });
} finally {
  site.close();
}
