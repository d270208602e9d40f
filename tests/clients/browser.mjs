// Runs tests in a real browser, and checks every page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");

export const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

// Runs `steps` in a new browser; an error in the console that is not `expected` fails the test.
export async function browse(steps, { expected = /status of 4\d\d/, timezoneId } = {}) {
  const browser = await chromium.launch({
    executablePath: execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf-8" }).trim(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  const errors = [];
  try {
    const context = await browser.newContext({ viewport: DESK, acceptDownloads: true, timezoneId });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => errors.push(`${error}`));
    page.on("console", (message) => {
      // The console also has the HTTP errors that a step causes on purpose.
      if (message.type() === "error" && !expected.test(message.text())) {
        errors.push(message.text());
      }
    });
    await steps(page, context);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
}

// Asserts on a desktop and a phone that axe finds no fault, and that the page does not scroll sideways.
export async function inspect(page, name, { schemes = ["light"] } = {}) {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    for (const [device, size] of Object.entries({ desk: DESK, phone: PHONE })) {
      const view = `${name}-${device}-${colorScheme}`;
      await page.setViewportSize(size);
      const found = await axe(page);
      assert.deepEqual(found, [], view);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${view} is ${wide} px too wide`);
      if (process.env.PICTURES) {
        await page.screenshot({ path: `${process.env.PICTURES}/${view}.png`, fullPage: true });
      }
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(DESK);
}

// Runs axe in an isolated world: the page's Content-Security-Policy forbids other scripts.
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
    `axe.run().then(({ passes, violations }) => passes.length < 5 ? ["axe checked nothing"]
      : violations.map((rule) => rule.id + ": " + rule.nodes.map((node) => node.html)))`,
  );
  await session.detach();
  assert.equal(exceptionDetails, undefined);
  return result.value;
}
