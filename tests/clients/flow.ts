// A frontend with openapi-fetch and the types of the document, which calls a running service.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi";

declare const process: { env: Record<string, string | undefined> };

const service = createClient<paths>({ baseUrl: process.env["SERVICE"] ?? "" });
const staff = { Authorization: `Bearer ${process.env["TOKEN"]}` };

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

// The text above the form, which depends on the clinic's state.
async function banner(): Promise<string> {
  const { data, error } = await service.GET("/v1/status");
  check(data !== undefined, error?.detail ?? "no status");
  return data.state === "open" ? "" : data.message;
}

// All pages of the list, in their order.
async function everyQuestion(): Promise<components["schemas"]["FAQPublic"][]> {
  const all: components["schemas"]["FAQPublic"][] = [];
  let cursor: string | null = null;
  do {
    const page: { data?: components["schemas"]["FAQList"] } = await service.GET("/v1/faqs", {
      params: { query: cursor === null ? { limit: 10 } : { limit: 10, cursor } },
    });
    check(page.data !== undefined, "no list");
    all.push(...page.data.data);
    cursor = page.data.meta.next_cursor;
  } while (cursor !== null);
  return all;
}

async function main(): Promise<void> {
  check((await banner()) === "", "the clinic is open");
  const questions = await everyQuestion();
  check(questions.length > 10, "more than one page");
  check(new Set(questions.map((question) => question.slug)).size === questions.length, "each once");

  const unknown = await service.GET("/v1/sections/{slug}", { params: { path: { slug: "unknown" } } });
  check(unknown.error?.type === "/problems/not-found", "a problem has a type");

  const form = (await service.GET("/v1/consultation-requests/form")).data;
  check(form !== undefined && form.accepting, "the form");
  const faulty = await service.POST("/v1/consultation-requests", {
    body: { name: "Robin", email: "robin", topic: "other", consent_to_contact: true, form_version: form.version },
  });
  const codes = faulty.error?.errors?.map((fault) => fault.code) ?? [];
  check(codes.join() === "email.invalid", `the fault is at its field: ${codes}`);

  const body = {
    name: "Robin", email: "robin@example.com", topic: "other", consent_to_contact: true,
    // A form library sends empty strings for fields that are not filled in.
    phone: "", message: "",
    form_version: form.version,
  } as const;
  const header = { "Idempotency-Key": "from-a-typed-client" };
  const accepted = await service.POST("/v1/consultation-requests", { body, params: { header } });
  check(accepted.data !== undefined, accepted.error?.detail ?? "not accepted");
  const again = await service.POST("/v1/consultation-requests", { body, params: { header } });
  check(again.data?.id === accepted.data.id, "the first answer again");
  const { id, receipt_token } = accepted.data;
  const mine = { params: { path: { id } }, headers: { Authorization: `Bearer ${receipt_token}` } };
  const receipt = await service.GET("/v1/consultation-requests/{id}", mine);
  check(receipt.data?.state === "received", "the receipt");

  const opened = await service.GET("/v1/staff/consultation-requests/{id}", {
    params: { path: { id } }, headers: staff,
  });
  check(opened.data?.sent?.email === "robin@example.com", "staff reads it");
  check(opened.data.sent.phone === null && opened.data.sent.message === null, "an empty string is stored as null");
  const moved = await service.PATCH("/v1/staff/consultation-requests/{id}", {
    params: { path: { id }, header: { "If-Match": opened.response.headers.get("ETag") ?? "" } },
    headers: staff,
    body: { state: "contacted" },
  });
  check(moved.data?.state === "contacted", moved.error?.detail ?? "not moved");

  const change = { state: "temporarily_closed", reopens_on: "2999-01-31", reopen: true } as const;
  const closing = { headers: staff, body: { ...change, effective_from: "2999-01-01T09:00:00Z" } };
  const tried = await service.POST("/v1/staff/status-changes", {
    ...closing, params: { query: { dry_run: true } },
  });
  check(tried.response.status === 200 && tried.data?.id === null, "a dry run");
  const planned = await service.POST("/v1/staff/status-changes", closing);
  check(planned.data?.planned.length === 2, planned.error?.detail ?? "not planned");
  for (const { id } of planned.data.planned) {
    check(id !== null, "what is recorded has an id");
    const off = await service.DELETE("/v1/staff/status-changes/{id}", {
      params: { path: { id } }, headers: staff,
    });
    check(off.data?.status === "called_off", off.error?.detail ?? "not called off");
  }

  const gone = await service.POST("/v1/consultation-requests/{id}/withdrawal", mine);
  check(gone.data?.state === "withdrawn", "withdrawn");
}

await main();
