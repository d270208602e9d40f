// The rules of the example app, with a running service. SERVICE and TOKEN are its URL and a staff token. AWAY is a URL
// without a server. PROXY answers with error pages; a path there begins with the status of the answer.
import { ClinicApp, type Store } from "./clinic-app";

declare const process: { env: Record<string, string> };
const { SERVICE, TOKEN, AWAY, PROXY } = process.env as Record<"SERVICE" | "TOKEN" | "AWAY" | "PROXY", string>;

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const kept = new Map<string, string>();
const store: Store = {
  get: (name) => kept.get(name) ?? null,
  set: (name, text) => void kept.set(name, text),
  remove: (name) => void kept.delete(name),
};

const statuses: number[] = [];
const send = globalThis.fetch;
globalThis.fetch = async (...call) => {
  const answer = await send(...call);
  statuses.push(answer.status);
  return answer;
};

async function setState(change: object): Promise<void> {
  const answer = await send(`${SERVICE}/v1/staff/status-changes`, {
    method: "POST",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(change),
  });
  check(answer.status === 201, "the state is changed");
}

async function main(): Promise<void> {
  const online = new ClinicApp(SERVICE, store);
  const offline = new ClinicApp(AWAY, store);
  check((await offline.open()) === null, "nothing is stored yet");

  const first = await online.open();
  check(first !== null && first.mayAsk && first.bundle.sections.length > 0, "the bundle");
  const again = await online.open();
  check(statuses.join() === "200,304", `the second start costs a 304: ${statuses}`);
  check(JSON.stringify(again?.bundle) === JSON.stringify(first.bundle), "the same bundle");

  const week = new Date(Date.now() + 7 * 24 * 60 * 60 * 1000);
  const later = await offline.open(week);
  check(later !== null && !later.mayAsk, "a week later it is shown, without the form");

  const request = {
    name: "Robin", email: "robin@example.com", topic: "other", consent_to_contact: true,
    form_version: first.bundle.form.version,
  } as const;
  const [sent, late, faulty] = [
    online.queue(request), online.queue(request), online.queue({ ...request, email: "robin" }),
  ];
  check((await offline.send(sent)).state === "waiting", "offline it waits");
  check((await online.send(faulty)).state === "faulty", "a faulty request is reported");
  check(online.queued(faulty).email === "robin", "a faulty request stays in the queue");
  const corrected = online.correct(faulty, request);
  check((await online.send(corrected)).state === "sent", "a corrected request is sent");
  for (const status of [200, 201, 401, 404, 410, 422, 502]) {
    const proxied = new ClinicApp(`${PROXY}/${status}`, store);
    check((await proxied.open())?.bundle !== undefined, `${status}: the stored bundle is shown`);
    check((await proxied.send(sent)).state === "waiting", `${status}: an error page of a proxy is no answer`);
  }

  // Simulates an answer that is lost: the app does not learn of this 201.
  await send(`${SERVICE}/v1/consultation-requests`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": sent },
    body: store.get(`queue/${sent}`),
  });
  await setState({ state: "temporarily_closed" });
  check((await online.send(late)).state === "waiting", "during a pause the request waits");
  await setState({ state: "permanently_closed", confirm: "permanently_closed" });
  const replayed = await online.send(sent);
  check(replayed.state === "sent" && replayed.receipt.receipt_token !== "", "the receipt is not lost");
  const refused = await online.send(late);
  check(refused.state === "refused" && refused.words.includes("permanently closed"), "the refusal has a text");
  check([...kept.keys()].join() === "bundle", "no personal data is left");
}

await main();
