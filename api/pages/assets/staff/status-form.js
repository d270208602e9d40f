// The form for a change of the clinic's state, with a preview and a confirmation.

import { complain, element, field, once, say, select, when } from "/staff/dom.js";
import { changeStatus, previewStatus } from "/staff/service.js";
import { CLINIC, MODES } from "/staff/words.js";
import { instantOf, zoneName } from "/staff/zone.js";

const FINAL = "permanently_closed";
const CLOCKS_CHANGE = {
  0: "Clocks go forward on that day and skip the time that you entered: this is the time after the change.",
  2: "Clocks go back on that day, and the time that you entered occurs twice: this is the first one.",
};

export function changeForm(show) {
  const state = select(CLINIC, "open");
  const mode = select(MODES);
  const from = element("input", { type: "datetime-local", max: "9998-12-31T00:00" });
  const backdated = element("input", { type: "checkbox" });
  const reopens = element("input", { type: "date", max: "9998-12-31" });
  const reopen = element("input", { type: "checkbox" });
  const headline = element("input", { maxlength: 200, autocomplete: "off" });
  const message = element("textarea", { rows: 3, maxlength: 2000 });
  const button = element("button", {}, "Preview the change");
  const whileOpen = field("Consultation requests", mode);
  const whileClosed = element("div", {},
    field("Reopens on", reopens, "The day, if it is known."),
    choice("Open automatically at the start of that day", reopen));
  const adapt = () => {
    whileOpen.hidden = state.value === FINAL;
    whileClosed.hidden = state.value !== "temporarily_closed";
  };
  const entered = () => ({
    state: state.value,
    mode: state.value === FINAL ? null : mode.value || null,
    effective_from: from.value ? instantOf(from.value).instant : null,
    backdated: backdated.checked,
    reopens_on: whileClosed.hidden ? null : reopens.value || null,
    reopen: !whileClosed.hidden && reopen.checked,
    headline: headline.value || null,
    message: message.value || null,
  });
  const form = element(
    "form",
    { "aria-labelledby": "change-title" },
    element("h2", { id: "change-title" }, "New change"),
    field("State", state),
    whileOpen,
    field("From", from, `In the clinic's time zone, ${zoneName()}. Empty: at once.`),
    choice("This time is in the past (the change takes effect now)", backdated),
    whileClosed,
    field("Headline", headline, "Empty: the default headline of the state."),
    field("Message", message, "Empty: the default message of the state."),
    button,
  );
  state.addEventListener("change", adapt);
  adapt();
  form.addEventListener("submit", once(button, async () => {
    form.querySelector("[role=alert]")?.remove();
    const change = entered();
    try {
      const effects = await previewStatus(change);
      const clocks = from.value ? CLOCKS_CHANGE[instantOf(from.value).times] : null;
      form.after(ask(change, effects, clocks, show));
      document.querySelector("dialog").showModal();
      document.getElementById("keep").focus();
    } catch (problem) {
      complain(form, problem.text);
    }
  }));
  return form;
}

function choice(label, input) {
  input.id = `choice-${label.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return element("p", {}, input, " ", element("label", { for: input.id }, label));
}

// The dialog with the effects of the change. A permanent closure is confirmed by typing a word.
function ask(change, effects, clocks, show) {
  const isFinal = change.state === FINAL;
  const word = element("input", {
    required: true, pattern: FINAL, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
  });
  const make = element("button", { class: isFinal ? "danger" : null }, "Change the status");
  const keep = element("button", { type: "button", id: "keep" }, "Change nothing");
  const form = element(
    "form",
    {},
    element("h2", { id: "ask-title" }, isFinal ? "Close the clinic permanently?" : "Change the status?"),
    element("p", {}, CLINIC[change.state], ...begin(change, effects), "."),
    clocks ? element("p", { class: "warning" }, clocks) : null,
    element("ul", {}, ...consequences(effects).map((line) => element("li", {}, ...line))),
    isFinal ? field(`Type ${FINAL} to close permanently`, word) : null,
    element("p", { class: "buttons" }, make, keep),
  );
  const dialog = element("dialog", { "aria-labelledby": "ask-title" }, form);
  keep.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", once(make, async () => {
    try {
      const recorded = await changeStatus({ ...change, confirm: isFinal ? word.value : null });
      dialog.close();
      await show(recorded);
      say(recorded.status === "planned" ? "The change is planned." : "The status is changed.");
    } catch (problem) {
      complain(form, problem.text);
    }
  }));
  return dialog;
}

function begin({ effective_from: since }, { status }) {
  if (status === "planned") return [", from ", when(since)];
  return since ? [", at once, and shown as since ", when(since)] : [", at once"];
}

function consequences({ state, status, planned, calls_off, closes_out }) {
  const named = (change) => [`${CLINIC[change.state]}, from `, when(change.effective_from), "."];
  // New rows have no id in a preview. The change itself is already in the first line of the dialog.
  const standing = planned.filter((change) => change.id !== null);
  const opening = planned.filter((change) => change.id === null && change.state !== state);
  const lines = [];
  if (state === FINAL) {
    const requests = closes_out === 1 ? "1 request is" : `${closes_out} requests are`;
    lines.push([status === "planned"
      ? `It will close out every open request; ${requests} open now.`
      : `It closes out every open request; ${requests} open.`]);
  } else lines.push(["No request is closed out."]);
  lines.push(...opening.map((change) => ["Planned with it: ", ...named(change)]));
  lines.push(...calls_off.map((change) => ["No longer planned: ", ...named(change)]));
  lines.push(...standing.map((change) => ["Stays planned: ", ...named(change)]));
  if (!standing.length) lines.push(["Nothing else stays planned."]);
  return lines;
}
