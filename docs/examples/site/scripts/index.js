import { describe, linked, make, nameOf, show } from "./page.js";
import { readAll } from "./service.js";

await show(async (status, clinic) => {
  const { data: sections } = await readAll("/v1/sections");
  const { mode, accepting, message } = status.consultations;
  describe({ locale: sections[0]?.locale, description: `${nameOf(clinic)}. ${status.headline}. Information and answers to questions.` });
  return [
    make("h1", {}, nameOf(clinic)),
    accepting && make("p", {}, make("a", { class: "action", href: "request.html" }, "Request a consultation")),
    // A clinic that is closed for good says so in the banner.
    mode !== "closed" && (message ? make("p", {}, message)
      : !accepting && make("p", {}, "The clinic is not taking requests for a consultation at the moment.")),
    make("div", { class: "cards" }, sections.map(card)),
    contactSection(clinic.contact),
    status.state === "open" && hours(clinic.opening_hours ?? []),
  ];
});

function card({ slug, title, summary }) {
  return make("article", {},
    make("h2", {}, make("a", { href: `section.html?slug=${encodeURIComponent(slug)}` }, title)),
    make("p", {}, summary));
}

function contactSection({ phone, email, website, address }) {
  const ways = [
    phone && linked("By phone", phone),
    email && make("a", { href: `mailto:${email}` }, email),
    website && make("a", { href: website }, website),
    address,
  ].filter(Boolean);
  return ways.length > 0 && section("Contact", ways);
}

// The hours are in the clinic's time zone, and are not converted.
function hours(days) {
  return days.length > 0 && section("Opening hours", days.map(({ day, opens, closes }) =>
    `${day[0].toUpperCase()}${day.slice(1)}: ${clock(opens)} to ${clock(closes)}`));
}

function clock(time) {
  return new Date(`1970-01-01T${time}`).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
}

function section(title, lines) {
  return make("section", {}, make("h2", {}, title), make("ul", {}, lines.map((line) => make("li", {}, line))));
}
