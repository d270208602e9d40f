// One request: what was sent, and what staff does with it.

import { complain, element, field, once, say, section, show, when } from "/staff/dom.js";
import { changeRequest, eraseRequest, openRequest, writeNote } from "/staff/service.js";
import { MOVES, plain, QUARANTINE, SENT, STATES } from "/staff/words.js";
import { dayOf } from "/staff/zone.js";

// A note that is being written outlives the redrawing of its request; it is nowhere but here.
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
    show("Request", element("p", { role: "alert" }, problem.words), back());
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

// After each change the request is read again, so that what is shown is what is there.
async function act(me, form, request, work, done) {
  try {
    await work();
    await showRequest(me, request.id);
    say(done);
  } catch (problem) {
    if (problem.status === 412) {
      await showRequest(me, request.id);
      say("Somebody else changed this request in the meantime. This is how it is now; nothing of yours was saved.");
    } else complain(form, problem.words);
  }
}

function warnings(request) {
  const told = [];
  if (request.quarantined) {
    const reasons = request.quarantine_reasons.map((reason) => QUARANTINE[reason] ?? reason);
    told.push(element("p", { class: "warning" }, `This may be spam: ${reasons.join("; ")}.`));
  }
  if (request.possible_duplicates.length) {
    told.push(element(
      "div",
      { class: "warning" },
      element("p", {}, "The same e-mail address or phone number is in:"),
      element("ul", {}, ...request.possible_duplicates.map((id) =>
        element("li", {}, element("a", { href: `#/requests/${id}` }, `Request ${id.slice(0, 8)}`)))),
    ));
  }
  return told;
}

function list(pairs) {
  return element("dl", {}, ...pairs.flatMap(([term, value]) => [
    element("dt", {}, term),
    // Each value in its own direction, so that a name cannot turn the line around.
    element("dd", { dir: "auto" }, value),
  ]));
}

function facts(request) {
  return section("Where it stands", list([
    ["State", STATES[request.state]],
    ["Received", when(request.received_at)],
    ["Last changed", when(request.updated_at)],
    ["Looked after by", request.assigned_to ?? "–"],
    ["Erased on", request.retention_until ? when(request.retention_until) : "not set"],
    ["Reference", request.id],
  ]));
}

function sent(request) {
  if (request.sent === null) {
    return section("What was sent", element("p", {}, "It was erased."));
  }
  const values = Object.entries(SENT).map(([name, label]) => [label, value(name, request.sent[name])]);
  const consents = request.consents.map((consent) =>
    element("li", {}, `“${consent.text}” `, when(consent.given_at)));
  return section("What was sent", list(values), element("h3", {}, "Agreed to"), element("ul", {}, ...consents));
}

function value(name, content) {
  if (content === null) return "–";
  if (name === "email") return element("a", { href: `mailto:${encodeURIComponent(content)}` }, content);
  if (name === "phone") return element("a", { href: `tel:${content}` }, content);
  if (name === "name" || name === "message") return element("span", { class: "typed" }, content);
  return plain(content);
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
      act(me, place, request, () => changeRequest(request.id, request.version, body), done)));
    return button;
  };
  const place = section("What to do");
  const mine = request.assigned_to === me.owner;
  place.append(
    element("p", { class: "buttons" },
      ...request.available_transitions.map((state) =>
        change(MOVES[state], { state }, `Now: ${STATES[state]}.`)),
      mine ? null : change("Take it on", { assigned_to: me.owner }, "You look after it now."),
      request.assigned_to ? change("Give it back", { assigned_to: "" }, "Nobody looks after it now.") : null,
      request.quarantined
        ? change("This is not spam", { quarantined: false }, "It is no longer marked as spam.")
        : change("This is spam", { quarantined: true }, "It is marked as spam."),
    ),
    assignForm(me, request),
    eraseButton(me, request, place),
  );
  return place;
}

function assignForm(me, request) {
  const name = element("input", { maxlength: 200, required: true, autocomplete: "off" });
  const button = element("button", {}, "Hand over");
  const form = element("form", { class: "line" }, field("Hand it over to", name), button);
  form.addEventListener("submit", once(button, () =>
    act(me, form, request, () => changeRequest(request.id, request.version, { assigned_to: name.value }),
      "It is handed over.")));
  return form;
}

function eraseButton(me, request, place) {
  const erase = element("button", { type: "button", class: "danger" }, "Erase it for good");
  const keep = element("button", { type: "button" }, "Keep it");
  const title = element("h2", { id: "erase-title" }, "Erase this request?");
  const dialog = element(
    "dialog",
    { "aria-labelledby": "erase-title" },
    title,
    element("p", {}, "What the person sent, the notes and their receipt are gone for good. Nobody can bring them back."),
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
        say("Somebody else changed this request in the meantime. This is how it is now; it was not erased.");
      } else complain(place, problem.words);
    }
  }));
  const open = element("button", { type: "button", class: "danger" }, "Erase…");
  open.addEventListener("click", () => { dialog.showModal(); keep.focus(); });
  return element("div", { class: "erase" }, open, dialog);
}
