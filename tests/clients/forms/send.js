// Shared by the pages: reads the form, and sends the request.

const page = new URLSearchParams(location.search);
const SERVICE = page.get("service");

// Reads the form in the library's dialect, or in the one of the test.
export async function readForm(dialect = "enum") {
  const query = new URLSearchParams({ dialect: page.get("dialect") || dialect });
  return (await fetch(`${SERVICE}/v1/consultation-requests/form?${query}`)).json();
}

// Publishes the current values for the test.
export function keep(data) {
  globalThis.filled = data;
}

export async function send(form, data) {
  // json-editor sets "" for fields that are not filled in.
  const filled = Object.entries(data).filter(([, value]) => value !== "");
  const answer = await fetch(`${SERVICE}/v1/consultation-requests`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...Object.fromEntries(filled), form_version: form.version }),
  });
  const told = await answer.json();
  const said = document.createElement("output");
  said.textContent = answer.ok ? `accepted ${told.id}` : JSON.stringify(told.errors);
  document.body.append(said);
}
