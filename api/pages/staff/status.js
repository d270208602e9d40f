// The clinic's state, and a change of it.

import { complain, element, field, once, say, select, show, when } from "/staff/dom.js";
import { download } from "/staff/inbox.js";
import { changeStatus, readStatus } from "/staff/service.js";
import { CLINIC, MODES } from "/staff/words.js";

export async function showStatus(me, recorded) {
  let status;
  try {
    status = await readStatus();
  } catch (problem) {
    show("Clinic status", element("p", { role: "alert" }, problem.words));
    return;
  }
  const next = status.next_change;
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
      ...(next ? [
        element("dt", {}, "Next change"),
        element("dd", {}, `${CLINIC[next.state]}, from `, when(next.effective_from)),
      ] : []),
    ),
    ...(recorded?.handover_export ? [handover(me, recorded)] : []),
    ...(me.scopes.includes("status:write") ? [changeForm(me)] : []),
  );
}

function handover(me, recorded) {
  const count = recorded.closed_out === 1 ? "1 open request was" : `${recorded.closed_out} open requests were`;
  const place = element("section", { class: "warning" }, element("p", {}, `${count} closed out.`));
  if (me.scopes.includes("intake:export")) {
    const button = element("button", { type: "button" }, "Download them for the hand-over");
    button.addEventListener("click", once(button, () => download(place, recorded.handover_export)));
    place.append(button);
  }
  return place;
}

function changeForm(me) {
  const state = select(CLINIC, "open");
  const mode = select(MODES);
  const from = element("input", { type: "datetime-local" });
  const reopens = element("input", { type: "date" });
  const headline = element("input", { maxlength: 200, autocomplete: "off" });
  const message = element("textarea", { rows: 3, maxlength: 2000 });
  const sure = element("input", { type: "checkbox", id: "sure" });
  const button = element("button", {}, "Change the status");
  const forGood = element("div", { class: "warning", hidden: true },
    element("p", {}, "Every open request is closed out when this takes effect, and no more are taken."),
    element("p", {}, sure, " ", element("label", { for: "sure" }, "Close the clinic for good")));
  const whileOpen = field("Consultation requests", mode);
  const whileClosed = field("Reopens on", reopens, "The day, where it is known.");
  const adapt = () => {
    const isFinal = state.value === "permanently_closed";
    forGood.hidden = !isFinal;
    sure.required = isFinal;
    whileOpen.hidden = isFinal;
    whileClosed.hidden = state.value !== "temporarily_closed";
  };
  const form = element(
    "form",
    { "aria-labelledby": "change-title" },
    element("h2", { id: "change-title" }, "Change it"),
    field("State", state),
    whileOpen,
    whileClosed,
    field("From", from, "In the time of this device; at once where it is empty."),
    field("Headline", headline, "Empty: the usual one of the state."),
    field("Message", message, "Empty: the usual one of the state."),
    forGood,
    button,
  );
  state.addEventListener("change", adapt);
  adapt();
  form.addEventListener("submit", once(button, async () => {
    const isFinal = state.value === "permanently_closed";
    const body = {
      state: state.value,
      mode: isFinal ? null : mode.value || null,
      effective_from: from.value ? new Date(from.value).toISOString() : null,
      reopens_on: state.value === "temporarily_closed" ? reopens.value || null : null,
      headline: headline.value || null,
      message: message.value || null,
      confirm: isFinal && sure.checked ? "permanently_closed" : null,
    };
    try {
      const recorded = await changeStatus(body);
      say("The status is changed.");
      await showStatus(me, recorded);
    } catch (problem) {
      complain(form, problem.words);
    }
  }));
  return form;
}
