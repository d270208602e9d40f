// What an app that shows a clinic keeps, for how long, and how it sends a request later.
// `openapi.d.ts` is made by openapi-typescript; `docs/guides/mobile.md` has the rules.
import type { components } from "./openapi";

type Schemas = components["schemas"];

// Whatever the platform has: a file, IndexedDB, the keychain. `set` replaces as a whole.
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

// Older texts are still worth reading, but what they say of the clinic may no longer hold.
const TRUSTED_FOR = 24 * 60 * 60 * 1000;
const LATER: Outcome = { state: "waiting", words: "It will be sent when you are online again." };

function holds(answer: Response, mediaType: string): boolean {
  return answer.headers.get("Content-Type")?.split(";")[0]?.trim() === mediaType;
}

export class ClinicApp {
  constructor(private readonly service: string, private readonly store: Store) {}

  // At each start: what is new, or what is kept; null where there is neither.
  async open(now = new Date()): Promise<Shown | null> {
    const text = this.store.get("bundle");
    let kept: Kept | null = text === null ? null : JSON.parse(text);
    try {
      const answer = await fetch(`${this.service}/v1/bundle`, {
        headers: kept === null ? {} : { "If-None-Match": kept.tag },
        // The app keeps the bundle itself.
        cache: "no-store",
      });
      const isNew = answer.status === 200 && holds(answer, "application/json");
      if (isNew) {
        kept = { tag: answer.headers.get("ETag") ?? "", checkedAt: "", bundle: await answer.json() };
      }
      if (kept !== null && (isNew || answer.status === 304)) {
        kept.checkedAt = now.toISOString();
        this.store.set("bundle", JSON.stringify(kept));
      }
    } catch {
      // Offline: what is kept is shown.
    }
    if (kept === null) return null;
    const checkedAt = new Date(kept.checkedAt);
    const isFresh = now.getTime() - checkedAt.getTime() < TRUSTED_FOR;
    return { bundle: kept.bundle, checkedAt, mayAsk: isFresh && kept.bundle.status.consultations.accepting };
  }

  // Keeps a request until it can be sent; its key, which stays the same from now on.
  queue(request: Schemas["ConsultationRequestCreate"]): string {
    const key = crypto.randomUUID();
    // The very bytes are kept: the same key with other bytes would be refused.
    this.store.set(`queue/${key}`, JSON.stringify(request));
    return key;
  }

  // What was typed, for the form.
  queued(key: string): Schemas["ConsultationRequestCreate"] {
    return JSON.parse(this.store.get(`queue/${key}`) ?? "{}");
  }

  // Puts a corrected request in the place of another one, under a key of its own.
  correct(key: string, request: Schemas["ConsultationRequestCreate"]): string {
    const corrected = this.queue(request);
    this.discard(key);
    return corrected;
  }

  discard(key: string): void {
    this.store.remove(`queue/${key}`);
  }

  // Sends a queued request, now or again. One that has faults stays, to be corrected.
  async send(key: string): Promise<Outcome> {
    let answer: Response;
    let problem: Schemas["ProblemDocument"];
    try {
      answer = await fetch(`${this.service}/v1/consultation-requests`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: this.store.get(`queue/${key}`),
      });
      if (answer.status === 201 && holds(answer, "application/json")) {
        const receipt: Schemas["ConsultationRequestAccepted"] = await answer.json();
        this.discard(key);
        return { state: "sent", words: receipt.next_step.text, receipt };
      }
      // A page of a proxy or of a public network says nothing about the request.
      if (!holds(answer, "application/problem+json")) return LATER;
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
