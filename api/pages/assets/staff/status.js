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
    // Staff without the scope see only the next change, which is public.
    planned = mayChange ? await listPlanned() : [status.next_change].filter(Boolean);
  } catch (problem) {
    show("Clinic status", element("p", { role: "alert" }, problem.text));
    return;
  }
  show(
    "Clinic status",
    element(
      "dl",
      {},
      element("dt", {}, "Now"),
      element("dd", {}, CLINIC[status.state]),
      element("dt", {}, "Public message"),
      element("dd", { dir: "auto" }, status.message),
      element("dt", {}, "Consultation requests"),
      element("dd", {}, status.consultations.accepting ? MODES[status.consultations.mode] : "Not accepted"),
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
  const box = section("Planned changes");
  if (!planned.length) {
    box.append(element("p", {}, "None."));
    return box;
  }
  box.append(element("ul", { class: "plans" }, ...planned.map((change) => element(
    "li",
    {},
    element("span", {}, `${CLINIC[change.state]}, from `, when(change.effective_from)),
    mayChange ? callOffButton(me, change, box) : null,
  ))));
  return box;
}

function callOffButton(me, change, box) {
  const label = `Call off: ${CLINIC[change.state]}`;
  const button = element("button", { type: "button", "aria-label": label }, "Call off");
  button.addEventListener("click", once(button, async () => {
    try {
      await callOff(change.id);
      await showStatus(me);
      say("The planned change is called off.");
    } catch (problem) {
      complain(box, problem.text);
    }
  }));
  return button;
}

function handover(me, recorded) {
  const count = recorded.closes_out === 1 ? "1 open request was" : `${recorded.closes_out} open requests were`;
  const box = element("section", { class: "warning" }, element("p", {}, `${count} closed out.`));
  if (me.scopes.includes("intake:export")) {
    const button = element("button", { type: "button" }, "Download them for the hand-over");
    button.addEventListener("click", once(button, () => download(box, recorded.handover_export)));
    box.append(button);
  }
  return box;
}
