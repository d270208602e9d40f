// Stores a clinic's data in an app, and sends a consultation request later if it is offline.
// openapi-typescript generates `openapi.d.ts`; `docs/guides/mobile.md` has the rules.
import type { components } from "./openapi";

type Schemas = components["schemas"];

// A storage of the platform: a file, IndexedDB, the keychain. `set` has to be atomic.
export interface Store {
  get(name: string): string | null;
  set(name: string, text: string): void;
  remove(name: string): void;
}

export interface Shown {
  bundle: Schemas["BundlePublic"];
  checkedAt: Date;
  mayAsk: boolean;
}

export type Outcome =
  | { state: "sent"; words: string; receipt: Schemas["ConsultationRequestAccepted"] }
  | { state: "waiting" | "refused"; words: string }
  | { state: "faulty"; words: string; errors: Schemas["ProblemError"][] };

interface Kept {
  tag: string;
  checkedAt: string;
  bundle: Schemas["BundlePublic"];
}

// Older texts can still be shown, but the clinic's status in them may have changed.
const TRUSTED_FOR = 24 * 60 * 60 * 1000;
const LATER: Outcome = { state: "waiting", words: "It will be sent when you are online again." };

function hasMediaType(answer: Response, mediaType: string): boolean {
  return answer.headers.get("Content-Type")?.split(";")[0]?.trim() === mediaType;
}

export class ClinicApp {
  constructor(private readonly service: string, private readonly store: Store) {}

  // At each start: returns the new or the stored bundle, or null if there is none.
  async open(now = new Date()): Promise<Shown | null> {
    const text = this.store.get("bundle");
    let kept: Kept | null = text === null ? null : JSON.parse(text);
    try {
      const answer = await fetch(`${this.service}/v1/bundle`, {
        headers: kept === null ? {} : { "If-None-Match": kept.tag },
        // The app stores the bundle itself, so the HTTP cache is not needed.
        cache: "no-store",
      });
      const isNew = answer.status === 200 && hasMediaType(answer, "application/json");
      if (isNew) {
        kept = { tag: answer.headers.get("ETag") ?? "", checkedAt: "", bundle: await answer.json() };
      }
      if (kept !== null && (isNew || answer.status === 304)) {
        kept.checkedAt = now.toISOString();
        this.store.set("bundle", JSON.stringify(kept));
      }
    } catch {
      // Offline: the stored bundle is shown.
    }
    if (kept === null) return null;
    const checkedAt = new Date(kept.checkedAt);
    const isFresh = now.getTime() - checkedAt.getTime() < TRUSTED_FOR;
    return { bundle: kept.bundle, checkedAt, mayAsk: isFresh && kept.bundle.status.consultations.accepting };
  }

  // Stores a request until it can be sent; returns its idempotency key.
  queue(request: Schemas["ConsultationRequestCreate"]): string {
    const key = crypto.randomUUID();
    // Stores the exact bytes: the service refuses other bytes with the same key.
    this.store.set(`queue/${key}`, JSON.stringify(request));
    return key;
  }

  // A queued request, to fill in the form again.
  queued(key: string): Schemas["ConsultationRequestCreate"] {
    return JSON.parse(this.store.get(`queue/${key}`) ?? "{}");
  }

  // Replaces a queued request by a corrected one with a new key, and returns the key.
  correct(key: string, request: Schemas["ConsultationRequestCreate"]): string {
    const corrected = this.queue(request);
    this.discard(key);
    return corrected;
  }

  discard(key: string): void {
    this.store.remove(`queue/${key}`);
  }

  // Sends a queued request, also repeatedly. A faulty one stays in the queue.
  async send(key: string): Promise<Outcome> {
    let answer: Response;
    let problem: Schemas["ProblemDocument"];
    try {
      answer = await fetch(`${this.service}/v1/consultation-requests`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: this.store.get(`queue/${key}`),
      });
      if (answer.status === 201 && hasMediaType(answer, "application/json")) {
        const receipt: Schemas["ConsultationRequestAccepted"] = await answer.json();
        this.discard(key);
        return { state: "sent", words: receipt.next_step.text, receipt };
      }
      // An error page of a proxy or a public network is not an answer to the request.
      if (!hasMediaType(answer, "application/problem+json")) return LATER;
      problem = await answer.json();
    } catch {
      return LATER;
    }
    if ([408, 409, 429].includes(answer.status) || answer.status >= 500) {
      return { state: "waiting", words: problem.detail };
    }
    if (answer.status === 422) {
      return { state: "faulty", words: problem.detail, errors: problem.errors ?? [] };
    }
    this.discard(key);
    return { state: "refused", words: problem.detail };
  }
}
