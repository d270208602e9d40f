import { describe, fill, linked, make, nameOf, show, showStatus } from "./page.js";
import { receiptView } from "./receipt-view.js";
import { keepReceipt } from "./receipts.js";
import { call, Problem, read, Unreachable } from "./service.js";

const REQUESTS = "/v1/consultation-requests";

await show(async (status, clinic) => {
  const form = await read(status.consultations.form);
  describe({ locale: form.locale, description: `${nameOf(clinic)}: requests for a consultation.` });
  return form.accepting && status.consultations.accepting ? requestForm(status, form) : closed(status);
});

// `refusal` is the service's text for a request that was sent after the clinic closed.
function closed({ consultations, closure }, refusal = null) {
  const words = consultations.message ?? (consultations.mode === "closed" ? "The clinic no longer takes requests for a consultation."
    : "The clinic is not taking requests for a consultation at the moment.");
  const { note, records_contact: contact, records_url: url } = closure;
  return [
    make("h1", { tabindex: "-1" }, "Requests for a consultation"),
    refusal ? make("p", { role: "alert" }, refusal) : make("p", {}, words),
    make("p", { class: "safety" }, "If you are in danger or in crisis, call your local emergency number."),
    note && make("p", {}, note),
    (contact || url) && make("p", {}, "Your records: ", linked(contact ?? url, url ?? contact)),
    make("p", {}, make("a", { href: "index.html" }, "Back to the clinic's information")),
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
      const shown = { form_version: form.version, ...(form.locale && { locale: form.locale }) };
      const body = JSON.stringify({ ...fields.value, ...hints, ...shown });
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
    showStatus(now);
    const main = document.getElementById("content");
    fill(main, closed(now, message));
    main.querySelector("h1").focus();
  }

  // The clinic has changed its form: the values are copied to the new form.
  async function renew() {
    const { entered } = fields;
    try {
      form = await read(status.consultations.form, { cache: "reload" });
    } catch {
      return showMessage("The form has changed, and the new one cannot be reached. What you entered is still here. Please send it again in a moment.");
    }
    fill(container);
    fields = new Form(container, form, entered);
    return showMessage("The form has changed. Please check it, and send it again.");
  }

  // Lists all faults, in the order of the fields, each with a link to its field.
  function faults(error) {
    const rank = (fault) => fields.fields.indexOf(fields.named(fault));
    const list = error.errors.toSorted((one, other) => rank(one) - rank(other)).map((fault) => {
      const field = fields.named(fault);
      if (!field) return make("li", {}, fault.detail);
      // The text for a question or a further consent can be the same for several of them.
      const words = field.path.includes(".") ? `${field.schema.title} – ${fault.detail}` : fault.detail;
      return make("li", {}, make("a", { href: `#${fields.input(field).id}`, onclick: (event) => jump(event, field) }, words));
    });
    fill(message, make("div", { role: "alert", class: "faults" },
      make("p", {}, "Your request was not sent. Please check the following:"), make("ul", {}, list)));
    message.focus();
  }

  function jump(event, field) {
    event.preventDefault();
    fields.input(field).focus();
  }

  function showMessage(text) {
    fill(message, make("p", { role: "alert" }, text));
    message.focus();
  }

  const { mode, message: words } = status.consultations;
  const waiting = words ?? (mode === "waitlist" ? "The clinic keeps a waiting list: your request is put on it." : null);
  const asksFor = (path) => fields.fields.some((field) => field.path === path);
  return [
    make("h1", {}, "Request a consultation"),
    make("p", { class: "safety" }, form.safety_notice),
    waiting && make("p", { class: "waiting" }, waiting),
    make("p", {}, asksFor("email") && asksFor("phone")
      ? "Fields marked with a star are needed, and a way to reach you: e-mail, phone, or both."
      : "Fields marked with a star are needed."),
    element,
  ];
}
