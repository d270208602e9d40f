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

export function forgetReceipt() {
  sessionStorage.removeItem(NAME);
}
