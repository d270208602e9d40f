import { fill, linked, make, show, statusBanner } from "./page.js";
import { receiptView } from "./receipt-view.js";
import { keepReceipt } from "./receipts.js";
import { call, Problem, read, Unreachable } from "./service.js";

const REQUESTS = "/v1/consultation-requests";

await show(async (status) => {
  const form = await read(status.consultations.form);
  return form.accepting && status.consultations.accepting
    ? requestForm(status, form) : closed(status, form);
});

function closed(status, { safety_notice: safety }, message = null) {
  const { note, records_contact: contact, records_url: url } = status.closure;
  return [
    make("h1", { tabindex: "-1" }, "Requests are not taken"),
    message ? make("p", { role: "alert" }, message) : make("p", {}, "The clinic is not taking requests for a consultation."),
    make("p", { class: "safety" }, safety),
    note && make("p", {}, note),
    (contact || url) && make("p", {}, "Your records: ", linked(contact ?? url, url ?? contact)),
  ];
}

async function requestForm(status, firstForm) {
  const { Form } = await import("./form.js");
  const begun = Date.now();
  const container = make("div");
  let form = firstForm;
  let fields = new Form(container, form);
  const trap = make("input", { id: "website", name: "website", tabindex: "-1", autocomplete: "off" });
  const button = make("button", { type: "submit" }, "Send the request");
  const message = make("div", { tabindex: "-1" });
  const element = make("form", { novalidate: true, onsubmit: submit },
    container,
    // A honeypot: people do not see this field, and programs fill it in.
    make("div", { class: "trap", "aria-hidden": "true" }, make("label", { for: "website" }, "Website"), trap),
    message,
    make("p", {}, button));
  let pending = { sent: null, body: null, key: null };

  // A request that is sent again has the same bytes and the same key.
  function envelope() {
    const sent = JSON.stringify([fields.value, trap.value, form.version]);
    if (sent !== pending.sent) {
      const seconds = Math.round((Date.now() - begun) / 1000);
      const hints = { website: trap.value || null, seconds_to_complete: seconds };
      const body = JSON.stringify({ ...fields.value, ...hints, form_version: form.version });
      pending = { sent, body, key: crypto.randomUUID() };
    }
    return pending;
  }

  async function submit(event) {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    fill(message, make("p", { role: "status" }, "Sending…"));
    try {
      const receipt = { ...await call("POST", REQUESTS, envelope()), confirmation: form.confirmation };
      if (keepReceipt(receipt)) location.assign("receipt.html");
      else fill(document.getElementById("content"), receiptView(receipt));
    } catch (error) {
      await refused(error);
    } finally {
      button.disabled = false;
    }
  }

  async function refused(error) {
    if (error instanceof Unreachable) {
      return showMessage("It could not be sent: the clinic's service cannot be reached. What you entered is still here. Please send it again in a moment; it will not arrive twice.");
    }
    if (!(error instanceof Problem)) throw error;
    if (error.type === "intake-paused" || error.type === "clinic-permanently-closed") {
      return showClosed(error.message);
    }
    if (error.errors.some(({ code }) => code === "form_version.outdated")) return renew();
    fields.showFaults(error.errors);
    if (error.errors.length > 0) return faults(error);
    const minutes = error.retryAfter && Math.ceil(error.retryAfter / 60);
    return showMessage(error.message + (minutes ? ` Please try again in ${minutes === 1 ? "a minute" : `${minutes} minutes`}.` : ""));
  }

  async function showClosed(message) {
    const now = await read("/v1/status", { cache: "reload" }).catch(() => status);
    document.getElementById("status").replaceChildren(statusBanner(now));
    const main = document.getElementById("content");
    fill(main, closed(now, form, message));
    main.querySelector("h1").focus();
  }

  // The clinic has changed its form: the values are copied to the new form.
  async function renew() {
    const filled = fields.value;
    try {
      form = await read(status.consultations.form, { cache: "reload" });
    } catch {
      return showMessage("The form has changed, and the new one cannot be reached. What you entered is still here. Please send it again in a moment.");
    }
    fill(container);
    fields = new Form(container, form, filled);
    return showMessage("The form has changed. Please check it, and send it again.");
  }

  // Lists all faults, in the order of the fields, each with a link to its field.
  function faults(error) {
    const rank = ({ pointer }) => fields.names.indexOf(pointer.replace("#/", ""));
    const list = error.errors.toSorted((one, other) => rank(one) - rank(other)).map((fault) => {
      const name = fields.names[rank(fault)];
      return make("li", {}, name
        ? make("a", { href: `#${fields.input(name).id}`, onclick: (event) => jump(event, name) }, fault.detail)
        : fault.detail);
    });
    fill(message, make("div", { role: "alert", class: "faults" },
      make("p", {}, "Your request was not sent. Please check the following:"), make("ul", {}, list)));
    message.focus();
  }

  function jump(event, name) {
    event.preventDefault();
    fields.input(name).focus();
  }

  function showMessage(text) {
    fill(message, make("p", { role: "alert" }, text));
    message.focus();
  }

  return [
    make("h1", {}, "Request a consultation"),
    make("p", { class: "safety" }, form.safety_notice),
    status.consultations.mode === "waitlist"
      && make("p", { class: "waiting" }, "The clinic keeps a waiting list: your request is put on it."),
    make("p", {}, "Fields marked with a star are needed, and a way to reach you: e-mail, phone, or both."),
    element,
  ];
}
