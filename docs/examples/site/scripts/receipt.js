import { fill, make, show } from "./page.js";
import { receiptView } from "./receipt-view.js";
import { keepReceipt, keptReceipt } from "./receipts.js";
import { Problem, read } from "./service.js";

const kept = keptReceipt();

await show(
  async () => (kept ? receiptView(await refreshed(kept)) : lookUp()),
  () => kept && receiptView(kept, "The clinic's service cannot be reached right now. This is what was known last."),
);

async function refreshed(receipt) {
  const path = `/v1/consultation-requests/${encodeURIComponent(receipt.id)}`;
  const now = { ...receipt, ...await read(path, { token: receipt.receipt_token }) };
  keepReceipt(now);
  return now;
}

function lookUp() {
  const id = make("input", { id: "reference", autocomplete: "off", spellcheck: "false", required: true });
  const token = make("input", { id: "code", autocomplete: "off", spellcheck: "false", required: true });
  const told = make("div");
  const submit = async (event) => {
    event.preventDefault();
    try {
      const found = await refreshed({ id: id.value.trim(), receipt_token: token.value.trim() });
      const main = document.getElementById("content");
      fill(main, receiptView(found));
      main.querySelector("h1").focus();
    } catch (error) {
      fill(told, make("p", { role: "alert" }, error instanceof Problem
        ? "No request has this reference and this code. Please check both."
        : "The clinic's service cannot be reached. Please try again in a moment."));
    }
  };
  return [
    make("h1", {}, "Your request"),
    make("p", {}, "With the reference and the code of your receipt you see where your request stands, and can withdraw it."),
    make("form", { onsubmit: submit },
      make("div", { class: "field" }, make("label", { for: "reference" }, "Reference"), id),
      make("div", { class: "field" }, make("label", { for: "code" }, "Code"), token),
      told,
      make("p", {}, make("button", { type: "submit" }, "Show the request"))),
  ];
}
