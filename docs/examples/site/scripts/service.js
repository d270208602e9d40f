// The calls to the clinic's service, and their two kinds of errors.
import { SERVICE } from "../config.js";

const SECONDS = 15;

// The service answered with a problem (RFC 9457); its `detail` can be shown to patients.
export class Problem extends Error {
  constructor(problem, retryAfter) {
    super(problem.detail);
    this.type = problem.type.replace("/problems/", "");
    this.errors = problem.errors ?? [];
    this.retryAfter = Number(retryAfter) || null;
  }
}

// There was no answer from the service. An error page of a proxy or a public network does not count as one.
export class Unreachable extends Error {}

export const read = (path, options) => call("GET", path, options);

// All pages of a list as one: `{data, meta}`.
export async function readAll(path) {
  const list = { data: [] };
  do {
    const cursor = list.meta?.next_cursor;
    const page = await read(cursor ? `${path}?cursor=${encodeURIComponent(cursor)}` : path);
    list.data.push(...page.data);
    list.meta = page.meta;
  } while (list.meta.next_cursor !== null);
  return list;
}

export async function call(method, path, { token, key, body, cache } = {}) {
  const headers = {
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(key && { "Idempotency-Key": key }),
    ...(body && { "Content-Type": "application/json" }),
  };
  let answer;
  let content;
  try {
    const signal = AbortSignal.timeout(SECONDS * 1000);
    answer = await fetch(SERVICE + path, { method, headers, body, cache, signal });
    content = await answer.json();
  } catch {
    throw new Unreachable();
  }
  const mediaType = answer.headers.get("Content-Type")?.split(";")[0].trim();
  if (answer.ok && mediaType === "application/json") return content;
  if (mediaType !== "application/problem+json") throw new Unreachable();
  throw new Problem(content, answer.headers.get("Retry-After"));
}
