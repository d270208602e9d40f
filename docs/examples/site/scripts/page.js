// The parts of every page: name, navigation, status, and the message for an unreachable service.
import { read, Problem } from "./service.js";

const PAGES = {
  "index.html": "The clinic",
  "questions.html": "Questions",
  "request.html": "Request a consultation",
  "receipt.html": "Your request",
};
const banner = make("div", { id: "status" });
const navigation = make("nav", { "aria-label": "Site" });

// Creates an element; strings among the children become text nodes, never HTML.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}

// Replaces the children of an element.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

// The service makes this HTML from Markdown, without scripts.
export function html(source) {
  const element = make("div", { class: "text" });
  element.innerHTML = source;
  return element;
}

export const day = (text) =>
  new Date(text.length === 10 ? `${text}T12:00:00` : text)
    .toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });

export const moment = (text) =>
  new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });

// The notices of a text. The notice with the clinic's status is left out if the banner of the page has the same words.
export function notices(list, status) {
  const others = list.filter(({ text }) => text !== status.message);
  return others.length > 0
    && make("ul", { class: "notices", "aria-label": "Please note" }, others.map(({ text }) => make("li", {}, text)));
}

// What search engines and screen readers need to know: the page's language and one sentence on its content.
export function describe({ locale, description }) {
  if (locale) document.documentElement.lang = locale;
  if (description) document.querySelector("meta[name=description]").content = description;
}

// Draws the page. `draw(status, clinic)` returns its content; `fallback()` returns content without the service, or null.
export async function show(draw, fallback = () => null) {
  const main = make("main", { id: "content", tabindex: "-1" });
  const name = make("p", { class: "name" }, "Clinic");
  document.body.replaceChildren(
    make("a", { class: "skip", href: "#content" }, "Skip to the content"),
    make("header", {}, name, navigation), banner, main,
  );
  navigate("unknown");
  main.append(make("p", { role: "status" }, "One moment…"));
  try {
    const [clinic, status] = await Promise.all([read("/v1/clinic"), read("/v1/status")]);
    name.textContent = nameOf(clinic);
    describe(clinic);
    showStatus(status);
    fill(main, await draw(status, clinic));
    const title = main.querySelector("h1").textContent;
    document.title = title === name.textContent ? title : `${title} – ${name.textContent}`;
  } catch (error) {
    fill(main, fallback() ?? failure(error));
    document.title = main.querySelector("h1").textContent;
  }
}

// A clinic may have no name; then its location is shown.
export function nameOf({ name, locality, region }) {
  const place = [locality, region].filter(Boolean).join(", ");
  return name ?? (place ? `Clinic in ${place}` : "Clinic");
}

// The form is not named before the status is known, nor after the clinic has stopped taking requests for good.
function navigate(mode) {
  const here = location.pathname.split("/").pop() || "index.html";
  const files = Object.keys(PAGES).filter((file) => file !== "request.html" || !["unknown", "closed"].includes(mode));
  fill(navigation, files.map((file) => make("a", { href: file, "aria-current": file === here ? "page" : null }, PAGES[file])));
}

export function showStatus(status) {
  navigate(status.consultations.mode);
  fill(banner, statusBanner(status));
}

function statusBanner(status) {
  const { state, headline, message, reopens_on: reopens, next_change: next } = status;
  const rest = message.startsWith(headline) ? message.slice(headline.length) : ` ${message}`;
  return make("section", { class: `banner ${state}`, "aria-label": "The clinic's status" },
    make("p", {}, make("strong", {}, headline), rest),
    reopens && make("p", {}, `The clinic plans to open again on ${day(reopens)}.`),
    next && make("p", {}, `From ${moment(next.effective_from)}: ${next.headline}`),
    contacts("Other places for care", status.alternatives, (one) => one.url),
    contacts("In an emergency", status.safety_resources, (one) => one.contact),
  );
}

// The list is null if the clinic has not stated whether there are any.
function contacts(title, list, where) {
  if (!list?.length) return null;
  return make("div", {}, make("h2", {}, title), make("ul", {}, ...list.map((one) =>
    make("li", {}, linked(one.name, where(one)), one.note ? `: ${one.note}` : ""))));
}

// A name with a link, if `where` is a URL or a phone number.
export function linked(name, where) {
  if (where === null) return name;
  if (/^https?:/.test(where)) return make("a", { href: where }, name);
  if (/^\+?[\d\s()-]+$/.test(where)) return make("a", { href: `tel:${where}` }, `${name}, ${where}`);
  return `${name}, ${where}`;
}

function failure(error) {
  const known = error instanceof Problem;
  if (!known) console.warn(error);
  return make("div", { role: "alert" },
    make("h1", {}, known ? "This cannot be shown" : "The clinic's service cannot be reached"),
    make("p", {}, known ? error.message
      : "Please try again in a moment. We do not know whether the clinic is open right now."),
    make("p", {}, make("button", { type: "button", onclick: () => location.reload() }, "Try again")),
  );
}
