// A receipt is kept while its tab is open, and no longer: whoever has its code can withdraw the request.
// Nothing that was typed is in it.

const NAME = "receipt";

// False where the browser keeps nothing.
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

// The receipt of the link in a letter: `#id=…&token=…`. A browser sends what follows the `#` to no server.
export function linkedReceipt() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.get("id") || !given.get("token")) return null;
  // Whatever the link holds, it fits into a header; a code stays as it is.
  const receipt = { id: given.get("id"), receipt_token: encodeURIComponent(given.get("token")) };
  // The address bar and the history show it no longer.
  if (keepReceipt(receipt)) history.replaceState(null, "", location.pathname + location.search);
  return receipt;
}

export function forgetReceipt() {
  sessionStorage.removeItem(NAME);
}
