// The app's rules, against a running service: SERVICE, TOKEN, AWAY, where nobody answers, and PROXY, which has pages
// of its own: a path there begins with the status of the answer.
import { ClinicApp, type Store } from "./clinic-app";

declare const process: { env: Record<string, string> };
const { SERVICE, TOKEN, AWAY, PROXY } = process.env as Record<"SERVICE" | "TOKEN" | "AWAY" | "PROXY", string>;

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
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
  check((await offline.open()) === null, "nothing is kept yet");

  const first = await online.open();
  check(first !== null && first.mayAsk && first.bundle.sections.length > 0, "the bundle");
  const again = await online.open();
  check(statuses.join() === "200,304", `the second start costs a 304: ${statuses}`);
  check(JSON.stringify(again?.bundle) === JSON.stringify(first.bundle), "the same bundle");

  const week = new Date(Date.now() + 7 * 24 * 60 * 60 * 1000);
  const later = await offline.open(week);
  check(later !== null && !later.mayAsk, "a week later it is shown, and nobody is led to a form");

  const request = {
    name: "Robin", email: "robin@example.com", topic: "other", consent_to_contact: true,
    form_version: first.bundle.form.version,
  } as const;
  const [sent, late, faulty] = [
    online.queue(request), online.queue(request), online.queue({ ...request, email: "robin" }),
  ];
  check((await offline.send(sent)).state === "waiting", "offline it waits");
  check((await online.send(faulty)).state === "faulty", "a fault goes back to the person");
  check(online.queued(faulty).email === "robin", "with what was typed");
  const corrected = online.correct(faulty, request);
  check((await online.send(corrected)).state === "sent", "a corrected request is sent");
  for (const status of [200, 201, 401, 404, 410, 422, 502]) {
    const proxied = new ClinicApp(`${PROXY}/${status}`, store);
    check((await proxied.open())?.bundle !== undefined, `${status}: what is kept is shown`);
    check((await proxied.send(sent)).state === "waiting", `${status}: a page of a proxy is no answer`);
  }

  // Its first answer is lost on the way.
  await send(`${SERVICE}/v1/consultation-requests`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": sent },
    body: store.get(`queue/${sent}`),
  });
  await setState({ state: "temporarily_closed" });
  check((await online.send(late)).state === "waiting", "a pause is waited for");
  await setState({ state: "permanently_closed", confirm: "permanently_closed" });
  const replayed = await online.send(sent);
  check(replayed.state === "sent" && replayed.receipt.receipt_token !== "", "the receipt is not lost");
  const refused = await online.send(late);
  check(refused.state === "refused" && refused.words.includes("permanently closed"), "told in words");
  check([...kept.keys()].join() === "bundle", "nothing of a person is left");
}

await main();
