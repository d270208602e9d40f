// What both pages do around their form library.

const SERVICE = new URLSearchParams(location.search).get("service");

export async function readForm() {
  return (await fetch(`${SERVICE}/v1/consultation-requests/form`)).json();
}

export async function send(form, data) {
  const answer = await fetch(`${SERVICE}/v1/consultation-requests`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...data, form_version: form.version }),
  });
  const told = await answer.json();
  const said = document.createElement("output");
  said.textContent = answer.ok ? `accepted ${told.id}` : JSON.stringify(told.errors);
  document.body.append(said);
}
