// A receipt is stored until its tab is closed, because anyone with its code can withdraw the request.
// It contains nothing that the patient typed.

const NAME = "receipt";

// Returns false if the browser's storage is not available.
export function keepReceipt(receipt) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(receipt));
    return true;
  } catch {
    return false;
  }
}

export function keptReceipt() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}

// The receipt in the link of an e-mail: `#id=…&token=…`. A browser does not send the fragment to a server.
export function linkedReceipt() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.get("id") || !given.get("token")) return null;
  // Makes any link valid in a header; encoding does not change a real code.
  const receipt = { id: given.get("id"), receipt_token: encodeURIComponent(given.get("token")) };
  // Removes the code from the address bar and the history.
  if (keepReceipt(receipt)) history.replaceState(null, "", location.pathname + location.search);
  return receipt;
}

// The link that opens the receipt on any device.
export function linkTo({ id, receipt_token: token }) {
  return new URL(`receipt.html#${new URLSearchParams({ id, token })}`, location.href).href;
}

export function forgetReceipt() {
  sessionStorage.removeItem(NAME);
}
