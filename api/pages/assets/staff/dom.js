// Creates elements without parsing HTML, so that what a patient typed is always shown as text.

import { momentOf } from "/staff/zone.js";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function show(title, ...content) {
  const heading = element("h1", { tabindex: "-1" }, title);
  document.title = `${title} · Clinic staff`;
  document.getElementById("main").replaceChildren(heading, ...content);
  // A screen reader continues here, as after loading a page.
  heading.focus();
}

export function say(text) {
  document.getElementById("said").replaceChildren(text);
}

// Shows a fault in the form that caused it. A screen reader reads it at once.
export function complain(form, text) {
  form.querySelector("[role=alert]")?.remove();
  form.append(element("p", { role: "alert" }, text));
}

export function field(label, input, help) {
  const id = `field-${label.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  input.id = id;
  const hint = help ? element("span", { class: "help", id: `${id}-help` }, help) : null;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  return element("p", { class: "field" }, element("label", { for: id }, label), input, hint);
}

export function select(options, chosen = "") {
  return element(
    "select",
    {},
    ...Object.entries(options).map(([value, text]) =>
      element("option", { value, selected: value === chosen }, text),
    ),
  );
}

export function section(title, ...content) {
  const id = `section-${title.toLowerCase().replaceAll(" ", "-")}`;
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...content);
}

// A time in the clinic's time zone, or a dash.
export function when(instant) {
  return instant ? element("time", { datetime: instant }, momentOf(instant)) : "–";
}

// Disables the control while the work runs, so that a second click does not send again.
export function once(control, work) {
  return async (event) => {
    event?.preventDefault();
    if (control.disabled) return;
    control.disabled = true;
    try {
      await work(event);
    } finally {
      control.disabled = false;
    }
  };
}
