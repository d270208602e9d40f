import { fill, make, show } from "./page.js";
import { receiptView } from "./receipt-view.js";
import { forgetReceipt, keepReceipt, keptReceipt, linkedReceipt } from "./receipts.js";
import { Problem, read } from "./service.js";

const kept = linkedReceipt() ?? keptReceipt();

// A link that is opened in the tab of a receipt changes only the URL's fragment, and loads nothing by itself.
addEventListener("hashchange", () => {
  if (linkedReceipt()) location.reload();
});

await show(
  async () => (kept ? current(kept) : lookUp()),
  () => kept?.state && receiptView(kept, "The clinic's service cannot be reached right now. This is the last known state."),
);

async function current(receipt) {
  try {
    return receiptView(await refreshed(receipt));
  } catch (error) {
    if (!isUnknown(error)) throw error;
    forgetReceipt();
    return lookUp("There is no longer a request for your receipt.");
  }
}

// The service answers a wrong code, an unknown request and an erased one with the same 404.
function isUnknown(error) {
  return error instanceof Problem && error.type === "not-found";
}

async function refreshed(receipt) {
  const path = `/v1/consultation-requests/${encodeURIComponent(receipt.id)}`;
  const now = { ...receipt, ...await read(path, { token: receipt.receipt_token }) };
  keepReceipt(now);
  return now;
}

function lookUp(before = null) {
  const id = make("input", { id: "reference", autocomplete: "off", spellcheck: "false", required: true });
  const token = make("input", { id: "code", autocomplete: "off", spellcheck: "false", required: true });
  const message = make("div", {}, before && make("p", { role: "alert" }, before));
  const submit = async (event) => {
    event.preventDefault();
    try {
      // Makes any input valid in a header; encoding does not change a real code.
      const code = encodeURIComponent(token.value.trim());
      const found = await refreshed({ id: id.value.trim(), receipt_token: code });
      const main = document.getElementById("content");
      fill(main, receiptView(found));
      main.querySelector("h1").focus();
    } catch (error) {
      const words = isUnknown(error) ? "No request has this reference and this code. Please check both."
        : error instanceof Problem ? error.message
          : "The clinic's service cannot be reached. Please try again in a moment.";
      fill(message, make("p", { role: "alert" }, words));
    }
  };
  return [
    make("h1", {}, "Your request"),
    make("p", {}, "Open the link of your receipt, or enter its reference and code here: you then see where your request stands, and can withdraw it."),
    make("form", { onsubmit: submit },
      make("div", { class: "field" }, make("label", { for: "reference" }, "Reference"), id),
      make("div", { class: "field" }, make("label", { for: "code" }, "Code"), token),
      message,
      make("p", {}, make("button", { type: "submit" }, "Show the request"))),
  ];
}
