// The calls to the clinic's service, and the two ways in which one can fail.
import { SERVICE } from "../config.js";

const SECONDS = 15;

// The service said no; `detail` may be shown as it is (RFC 9457).
export class Problem extends Error {
  constructor(problem, retryAfter) {
    super(problem.detail);
    this.type = problem.type.replace("/problems/", "");
    this.errors = problem.errors ?? [];
    this.retryAfter = Number(retryAfter) || null;
  }
}

// There was no answer, or it was not the service's: a proxy or a public network has pages of its own.
export class Unreachable extends Error {}

export const read = (path, options) => call("GET", path, options);

export async function readAll(path) {
  const found = [];
  let cursor = null;
  do {
    const page = await read(cursor === null ? path : `${path}?cursor=${encodeURIComponent(cursor)}`);
    found.push(...page.data);
    cursor = page.meta.next_cursor;
  } while (cursor !== null);
  return found;
}

export async function call(method, path, { token, key, body, cache } = {}) {
  const headers = {
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(key && { "Idempotency-Key": key }),
    ...(body && { "Content-Type": "application/json" }),
  };
  let answer;
  let told;
  try {
    const signal = AbortSignal.timeout(SECONDS * 1000);
    answer = await fetch(SERVICE + path, { method, headers, body, cache, signal });
    told = await answer.json();
  } catch {
    throw new Unreachable();
  }
  const mediaType = answer.headers.get("Content-Type")?.split(";")[0].trim();
  if (answer.ok && mediaType === "application/json") return told;
  if (mediaType !== "application/problem+json") throw new Unreachable();
  throw new Problem(told, answer.headers.get("Retry-After"));
}
