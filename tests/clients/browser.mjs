// A real browser, and what every page is held to.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");

export const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

// Runs `steps` in a new browser; anything else that the page complains about is a fault.
export async function browse(steps, { expected = /status of 4\d\d/, timezoneId } = {}) {
  const browser = await chromium.launch({
    executablePath: execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf-8" }).trim(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  const complaints = [];
  try {
    const context = await browser.newContext({ viewport: DESK, acceptDownloads: true, timezoneId });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => complaints.push(`${error}`));
    page.on("console", (message) => {
      // A refusal that a step provokes is in the log too.
      if (message.type() === "error" && !expected.test(message.text())) {
        complaints.push(message.text());
      }
    });
    await steps(page, context);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
}

// No fault that axe finds, at a desk and on a phone, and nothing that has to be pushed sideways.
export async function inspect(page, name) {
  for (const [device, size] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(size);
    const found = await axe(page);
    assert.deepEqual(found, [], `${name} (${device})`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} (${device}) is ${wide} px too wide`);
    if (process.env.PICTURES) {
      await page.screenshot({ path: `${process.env.PICTURES}/${name}-${device}.png`, fullPage: true });
    }
  }
  await page.setViewportSize(DESK);
}

// In a world of its own: the page's policy forbids other scripts, and stays as it is.
async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: "axe",
  });
  const evaluate = (expression) =>
    session.send("Runtime.evaluate", {
      expression, contextId: executionContextId, awaitPromise: true, returnByValue: true,
    });
  await evaluate(AXE);
  const { result, exceptionDetails } = await evaluate(
    `axe.run().then(({ passes, violations }) => passes.length < 5 ? ["it looked at nothing"]
      : violations.map((rule) => rule.id + ": " + rule.nodes.map((node) => node.html)))`,
  );
  await session.detach();
  assert.equal(exceptionDetails, undefined);
  return result.value;
}
