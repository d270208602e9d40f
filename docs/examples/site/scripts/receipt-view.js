// Shows a receipt: the state of the request, the link to keep or to print, and the withdrawal.
import { day, fill, make, moment } from "./page.js";
import { forgetReceipt, keepReceipt, linkTo } from "./receipts.js";
import { call, Problem } from "./service.js";

const STATES = {
  received: "Received",
  waitlisted: "On the waiting list",
  contacted: "The clinic has contacted you",
  scheduled: "An appointment is made",
  completed: "Completed",
  declined: "Declined",
  withdrawn: "Withdrawn",
  closed_out: "Ended, because the clinic has closed",
};

export function receiptView(receipt, message = null) {
  const { id, receipt_token: token, state, received_at, retention_until: until, next_step, confirmation } = receipt;
  const link = linkTo(receipt);
  const said = make("p", { role: "status", class: "current" });
  const copy = make("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Your browser does not allow copying; please print this page.";
    }
  } }, "Copy the link");
  const print = make("button", { type: "button", onclick: () => window.print() }, "Print");
  const forget = make("button", { type: "button", onclick: () => {
    forgetReceipt();
    location.replace("receipt.html");
  } }, "Forget it on this device");
  const withdrawn = state === "withdrawn";
  return [
    make("h1", { tabindex: "-1" }, "Your request"),
    message && make("p", { role: "alert" }, message),
    confirmation && !withdrawn && make("p", { class: "current" }, confirmation),
    make("p", { class: "current" }, next_step.text),
    make("p", { class: "printed" }, "The receipt of a request for a consultation."),
    make("dl", {},
      make("div", { class: "current" }, pair("State", STATES[state] ?? state)),
      make("div", {}, pair("Received on", moment(received_at))),
      until && make("div", {}, pair("Erased for good on", day(until))),
      make("div", {}, pair("Reference", make("code", {}, id))),
      make("div", {}, pair("Code", make("code", {}, token))),
      make("div", {}, pair("Link", make("a", { href: link }, link)))),
    !withdrawn && make("p", {}, "Keep the link: it shows where your request stands, and lets you withdraw it. Anyone who has the link can do the same."),
    make("p", { class: "current" }, "This tab forgets the link when it is closed."),
    make("p", { class: "buttons" }, copy, print, forget),
    said,
    // A completed request is a record of care, and the service does not withdraw it.
    !withdrawn && state !== "completed" && withdrawal(receipt),
  ];
}

function pair(term, value) {
  return [make("dt", {}, term), make("dd", {}, value)];
}

function withdrawal(receipt) {
  const keep = make("button", { type: "button", onclick: () => dialog.close() }, "Keep it");
  const sure = make("button", { type: "button", class: "danger", onclick: withdraw }, "Withdraw it");
  const message = make("div");
  const dialog = make("dialog", { "aria-labelledby": "withdraw" },
    make("h2", { id: "withdraw" }, "Withdraw your request?"),
    make("p", {}, "What you entered is erased for good, and the clinic will not contact you about it."),
    message,
    make("p", { class: "buttons" }, keep, sure));

  async function withdraw() {
    sure.disabled = true;
    try {
      const path = `/v1/consultation-requests/${encodeURIComponent(receipt.id)}/withdrawal`;
      const now = { ...receipt, ...await call("POST", path, { token: receipt.receipt_token }) };
      keepReceipt(now);
      dialog.close();
      const main = document.getElementById("content");
      fill(main, receiptView(now));
      main.querySelector("h1").focus();
    } catch (error) {
      sure.disabled = false;
      fill(message, make("p", { role: "alert" }, error instanceof Problem ? error.message
        : "The clinic's service cannot be reached; your request was perhaps not withdrawn. Please try again in a moment."));
    }
  }

  return make("div", { class: "withdraw" },
    make("button", { type: "button", onclick: () => { dialog.showModal(); keep.focus(); } }, "Withdraw the request…"), dialog);
}
