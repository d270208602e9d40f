// Calls to the service with the token of the person who is signed in.

const TOKEN = "clinic-staff-token";

export class Problem extends Error {
  constructor(status, document) {
    super(document?.detail ?? "The service cannot be reached. Please try again in a moment.");
    this.status = status;
    this.errors = document?.errors ?? [];
  }

  // The message with all errors.
  get text() {
    return [this.message, ...this.errors.map((error) => error.detail)].join(" ");
  }
}

// The browser removes the token when the tab is closed. It is never in a cookie.
export const session = {
  get token() { return sessionStorage.getItem(TOKEN); },
  set token(value) { sessionStorage.setItem(TOKEN, value); },
  end() { sessionStorage.removeItem(TOKEN); },
};

async function send(method, path, { body, version } = {}) {
  const headers = { Authorization: `Bearer ${session.token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Problem(0, null);
  }
  if (answer.ok) return answer;
  // A proxy can answer with its own error page, which has no problem document.
  if (!holds(answer, "application/problem+json")) throw new Problem(0, null);
  const refused = new Event("token-refused", { cancelable: true });
  // The page then asks for the token again, and this call never ends: its view is gone.
  if (answer.status === 401 && !window.dispatchEvent(refused)) return new Promise(() => {});
  throw new Problem(answer.status, await answer.json().catch(() => null));
}

function holds(answer, mediaType) {
  return answer.headers.get("Content-Type")?.split(";")[0].trim() === mediaType;
}

async function json(...call) {
  const answer = await send(...call);
  if (!holds(answer, "application/json")) throw new Problem(0, null);
  return answer.json();
}

const STAFF = "/v1/staff";
const REQUESTS = `${STAFF}/consultation-requests`;
const CHANGES = `${STAFF}/status-changes`;
const one = (id) => `${REQUESTS}/${encodeURIComponent(id)}`;

export const readMe = () => json("GET", `${STAFF}/me`);
export const listInbox = (query) => json("GET", `${REQUESTS}?${new URLSearchParams(query)}`);
export const openRequest = (id) => json("GET", one(id));
export const changeRequest = (id, version, body) => json("PATCH", one(id), { version, body });
export const writeNote = (id, version, text) =>
  json("POST", `${one(id)}/notes`, { version, body: { text } });
export const eraseRequest = (id, version) => send("DELETE", one(id), { version });
export const readClinic = () => json("GET", "/v1/clinic");
export const readStatus = () => json("GET", "/v1/status");
export const listStatusChanges = () => json("GET", CHANGES);
export const previewStatus = (body) => json("POST", `${CHANGES}?dry_run=true`, { body });
export const changeStatus = (body) => json("POST", CHANGES, { body });
export const callOff = (id) => json("DELETE", `${CHANGES}/${encodeURIComponent(id)}`);

export async function exportRequests(path = `${REQUESTS}/export`) {
  return (await send("GET", path)).blob();
}
