// The view of one request: what the person sent, the notes, and the actions of the staff.

import { complain, element, field, once, say, section, show, when } from "/staff/dom.js";
import { changeRequest, eraseRequest, openRequest, writeNote } from "/staff/service.js";
import { MOVES, QUARANTINE, STATES } from "/staff/words.js";
import { dayOf } from "/staff/zone.js";

// The text of an unsaved note, because the view is drawn again after each action.
const EMPTY = { id: null, text: "" };
let draft = EMPTY;

export function forgetDraft() {
  draft = EMPTY;
}

export async function showRequest(me, id) {
  let request;
  try {
    request = await openRequest(id);
  } catch (problem) {
    show("Request", element("p", { role: "alert" }, problem.text), back());
    return;
  }
  draw(me, request);
}

function back() {
  return element("p", {}, element("a", { href: "#/" }, "Back to the inbox"));
}

function draw(me, request) {
  const mayWrite = me.scopes.includes("intake:write");
  const mayNote = mayWrite && request.state !== "withdrawn";
  show(
    `Request of ${dayOf(request.received_at)}`,
    back(),
    ...warnings(request),
    facts(request),
    sent(request),
    notes(me, request, mayNote),
    ...(mayWrite ? [actions(me, request)] : []),
  );
}

// Carries out an action, then reads and shows the request again.
async function act(me, form, request, work, done) {
  try {
    await work();
    await showRequest(me, request.id);
    say(done);
  } catch (problem) {
    if (problem.status === 412) {
      await showRequest(me, request.id);
      say("Somebody else changed this request in the meantime. Your change was not saved. This is the current request.");
    } else complain(form, problem.text);
  }
}

function warnings(request) {
  const shown = [];
  if (request.quarantined) {
    const reasons = request.quarantine_reasons.map((reason) => QUARANTINE[reason] ?? reason);
    shown.push(element("p", { class: "warning" }, `This may be spam: ${reasons.join("; ")}.`));
  }
  if (request.possible_duplicates.length) {
    shown.push(element(
      "div",
      { class: "warning" },
      element("p", {}, "The same e-mail address or phone number is in:"),
      element("ul", {}, ...request.possible_duplicates.map((id) =>
        element("li", {}, element("a", { href: `#/requests/${id}` }, `Request ${id.slice(0, 8)}`)))),
    ));
  }
  return shown;
}

function list(pairs) {
  return element("dl", {}, ...pairs.flatMap(([term, value]) => [
    element("dt", {}, term),
    // Each value has its own text direction, so that a typed value cannot reverse other text.
    element("dd", { dir: "auto" }, value),
  ]));
}

function facts(request) {
  return section("Overview", list([
    ["State", STATES[request.state]],
    ["Received", when(request.received_at)],
    ["Last changed", when(request.updated_at)],
    ["Assigned to", request.assigned_to ?? "–"],
    ["Erased on", request.retention_until ? when(request.retention_until) : "not set"],
    ["Reference", request.id],
  ]));
}

function sent(request) {
  if (request.sent === null) {
    return section("What was sent", element("p", {}, "It was erased."));
  }
  const values = request.sent.shown.map(({ name, label, value }) => [label, text(name, value)]);
  const consents = request.consents.map((consent) =>
    element("li", {}, `“${consent.text}” `, when(consent.given_at)));
  return section("What was sent", list(values), element("h3", {}, "Agreed to"), element("ul", {}, ...consents));
}

function text(name, value) {
  if (value === null) return "–";
  if (name === "email") return element("a", { href: `mailto:${encodeURIComponent(value)}` }, value);
  if (name === "phone") return element("a", { href: `tel:${value}` }, value);
  return element("span", { class: "typed" }, value);
}

function notes(me, request, mayNote) {
  const written = request.notes.map((note) => element(
    "li",
    {},
    element("p", { class: "typed", dir: "auto" }, note.text),
    element("p", { class: "help" }, `${note.author}, `, when(note.written_at)),
  ));
  return section(
    "Notes",
    written.length ? element("ul", { class: "notes" }, ...written) : element("p", {}, "None so far."),
    mayNote ? noteForm(me, request) : null,
  );
}

function noteForm(me, request) {
  const text = element("textarea", { rows: 3, maxlength: 2000, required: true });
  const button = element("button", {}, "Save the note");
  const form = element("form", {}, field("New note", text), button);
  if (draft.id === request.id) text.value = draft.text;
  text.addEventListener("input", () => { draft = { id: request.id, text: text.value }; });
  const save = async () => {
    await writeNote(request.id, request.version, text.value);
    forgetDraft();
  };
  form.addEventListener("submit", once(button, () => act(me, form, request, save, "The note is saved.")));
  return form;
}

function actions(me, request) {
  const change = (label, body, done) => {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", once(button, () =>
      act(me, box, request, () => changeRequest(request.id, request.version, body), done)));
    return button;
  };
  const box = section("Actions");
  const mine = request.assigned_to === me.owner;
  box.append(
    element("p", { class: "buttons" },
      ...request.available_transitions.map((state) =>
        change(MOVES[state], { state }, `Now: ${STATES[state]}.`)),
      mine ? null : change("Assign to me", { assigned_to: me.owner }, "It is assigned to you."),
      request.assigned_to ? change("End the assignment", { assigned_to: "" }, "It is assigned to nobody.") : null,
      request.quarantined
        ? change("This is not spam", { quarantined: false }, "It is no longer marked as spam.")
        : change("This is spam", { quarantined: true }, "It is marked as spam."),
    ),
    assignForm(me, request),
    eraseButton(me, request, box),
  );
  return box;
}

function assignForm(me, request) {
  const name = element("input", { maxlength: 200, required: true, autocomplete: "off" });
  const button = element("button", {}, "Hand over");
  const form = element("form", { class: "line" }, field("Assign to another person", name), button);
  form.addEventListener("submit", once(button, () =>
    act(me, form, request, () => changeRequest(request.id, request.version, { assigned_to: name.value }),
      "It is assigned to another person.")));
  return form;
}

function eraseButton(me, request, box) {
  const erase = element("button", { type: "button", class: "danger" }, "Erase permanently");
  const keep = element("button", { type: "button" }, "Keep it");
  const title = element("h2", { id: "erase-title" }, "Erase this request?");
  const dialog = element(
    "dialog",
    { "aria-labelledby": "erase-title" },
    title,
    element("p", {}, "This erases what the person sent, the notes and the receipt. Nobody can restore them."),
    element("p", { class: "buttons" }, erase, keep),
  );
  keep.addEventListener("click", () => dialog.close());
  erase.addEventListener("click", once(erase, async () => {
    dialog.close();
    try {
      await eraseRequest(request.id, request.version);
      say("The request is erased.");
      location.hash = "#/";
    } catch (problem) {
      if (problem.status === 412) {
        await showRequest(me, request.id);
        say("Somebody else changed this request in the meantime. It was not erased. This is the current request.");
      } else complain(box, problem.text);
    }
  }));
  const open = element("button", { type: "button", class: "danger" }, "Erase…");
  open.addEventListener("click", () => { dialog.showModal(); keep.focus(); });
  return element("div", { class: "erase" }, open, dialog);
}
