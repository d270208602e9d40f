// The view of the inbox: the list of requests. It contains nothing that a patient typed.

import { complain, element, field, once, say, select, show, when } from "/staff/dom.js";
import { exportRequests, listInbox } from "/staff/service.js";
import { STATES } from "/staff/words.js";

const PAGE = 50;
// The filters stay selected while the page is open.
const wanted = { state: "", assigned_to: "", quarantined: "", older_than_days: "" };

export async function showInbox(me) {
  const list = element("div", { "aria-live": "polite" });
  show("Inbox", filters(me, list), list, ...tools(me));
  await fill(list);
}

function filters(me, list) {
  const inputs = {
    state: select({ "": "Any", ...STATES }, wanted.state),
    assigned_to: select({ "": "Anybody", me: "Me", nobody: "Nobody" }, wanted.assigned_to),
    quarantined: select(
      { "": "All", false: "Without likely spam", true: "Likely spam only" },
      wanted.quarantined,
    ),
    older_than_days: select(
      { "": "Any time", 1: "Over a day ago", 7: "Over a week ago", 30: "Over a month ago" },
      wanted.older_than_days,
    ),
  };
  const change = () => {
    for (const [name, input] of Object.entries(inputs)) wanted[name] = input.value;
    wanted.owner = me.owner;
    fill(list);
  };
  wanted.owner = me.owner;
  return element(
    "form",
    { class: "filters", "aria-label": "Which requests", onchange: change, onsubmit: (e) => e.preventDefault() },
    field("State", inputs.state),
    field("Assigned to", inputs.assigned_to),
    field("Spam", inputs.quarantined),
    field("Received", inputs.older_than_days),
  );
}

function query(cursor) {
  const { owner, assigned_to, ...rest } = wanted;
  const parameters = { limit: PAGE, ...Object.fromEntries(Object.entries(rest).filter(([, v]) => v)) };
  if (assigned_to) parameters.assigned_to = assigned_to === "me" ? owner : "";
  if (cursor) parameters.cursor = cursor;
  return parameters;
}

let latest = 0;

async function fill(list) {
  const number = ++latest;
  const page = await listInbox(query()).catch((problem) => complain(list, problem.text));
  // Ignores an answer that arrives after the filters were changed again.
  if (!page || number !== latest) return;
  if (page.meta.total === 0) {
    list.replaceChildren(element("p", { class: "empty" }, "There is no such request."));
    return;
  }
  const rows = element("tbody", {}, ...page.data.map(row));
  list.replaceChildren(
    element("p", {}, page.meta.total === 1 ? "1 request" : `${page.meta.total} requests`),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...["Received", "State", "Assigned to"].map(
        (title) => element("th", { scope: "col" }, title)))),
      rows,
    ),
  );
  if (page.meta.next_cursor) list.append(more(rows, page.meta.next_cursor));
}

function row(request) {
  return element(
    "tr",
    {},
    element("td", {}, element("a", { href: `#/requests/${request.id}` }, when(request.received_at))),
    element(
      "td",
      {},
      STATES[request.state],
      request.quarantined ? element("span", { class: "mark" }, "likely spam") : null,
    ),
    element("td", {}, request.assigned_to ?? "–"),
  );
}

function more(rows, cursor) {
  const button = element("button", { type: "button" }, "Show more");
  let next = cursor;
  button.addEventListener("click", once(button, async () => {
    try {
      const page = await listInbox(query(next));
      const added = page.data.map(row);
      rows.append(...added);
      added[0]?.querySelector("a").focus();
      next = page.meta.next_cursor;
      if (!next) button.remove();
    } catch (problem) {
      complain(button.parentElement, problem.text);
    }
  }));
  return button;
}

function tools(me) {
  if (!me.scopes.includes("intake:export")) return [];
  const button = element("button", { type: "button" }, "Download all as CSV");
  const box = element("p", { class: "tools" }, button);
  button.addEventListener("click", once(button, () => download(box)));
  return [box];
}

export async function download(box, path) {
  try {
    const address = URL.createObjectURL(await exportRequests(path));
    element("a", { href: address, download: "consultation-requests.csv" }).click();
    URL.revokeObjectURL(address);
    say("The file is downloaded. It contains what patients wrote: store it where nobody else can read it.");
  } catch (problem) {
    complain(box, problem.text);
  }
}
