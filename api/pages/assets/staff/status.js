// The clinic's state, and the changes that are planned.

import { complain, element, once, say, section, show, when } from "/staff/dom.js";
import { download } from "/staff/inbox.js";
import { callOff, listStatusChanges, readStatus } from "/staff/service.js";
import { changeForm } from "/staff/status-form.js";
import { CLINIC, MODES } from "/staff/words.js";

export async function showStatus(me, recorded) {
  const mayChange = me.scopes.includes("status:write");
  let status;
  let planned;
  try {
    status = await readStatus();
    // Others than those who change it see what is announced to everybody.
    planned = mayChange ? await listPlanned() : [status.next_change].filter(Boolean);
  } catch (problem) {
    show("Clinic status", element("p", { role: "alert" }, problem.words));
    return;
  }
  show(
    "Clinic status",
    element(
      "dl",
      {},
      element("dt", {}, "Now"),
      element("dd", {}, CLINIC[status.state]),
      element("dt", {}, "What visitors read"),
      element("dd", { dir: "auto" }, status.message),
      element("dt", {}, "Consultation requests"),
      element("dd", {}, status.consultations.accepting ? MODES[status.consultations.mode] : "Not taken"),
    ),
    ...(recorded?.handover_export ? [handover(me, recorded)] : []),
    plans(me, planned, mayChange),
    ...(mayChange ? [changeForm((done) => showStatus(me, done))] : []),
  );
}

async function listPlanned() {
  const { data } = await listStatusChanges();
  return data.filter((change) => change.status === "planned").reverse();
}

function plans(me, planned, mayChange) {
  const place = section("Planned changes");
  if (!planned.length) {
    place.append(element("p", {}, "None."));
    return place;
  }
  place.append(element("ul", { class: "plans" }, ...planned.map((change) => element(
    "li",
    {},
    element("span", {}, `${CLINIC[change.state]}, from `, when(change.effective_from)),
    mayChange ? callOffButton(me, change, place) : null,
  ))));
  return place;
}

function callOffButton(me, change, place) {
  const label = `Call off: ${CLINIC[change.state]}`;
  const button = element("button", { type: "button", "aria-label": label }, "Call off");
  button.addEventListener("click", once(button, async () => {
    try {
      await callOff(change.id);
      await showStatus(me);
      say("The planned change is called off.");
    } catch (problem) {
      complain(place, problem.words);
    }
  }));
  return button;
}

function handover(me, recorded) {
  const count = recorded.closes_out === 1 ? "1 open request was" : `${recorded.closes_out} open requests were`;
  const place = element("section", { class: "warning" }, element("p", {}, `${count} closed out.`));
  if (me.scopes.includes("intake:export")) {
    const button = element("button", { type: "button" }, "Download them for the hand-over");
    button.addEventListener("click", once(button, () => download(place, recorded.handover_export)));
    place.append(button);
  }
  return place;
}
