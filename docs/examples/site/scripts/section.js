import { day, describe, html, linked, make, notices, show } from "./page.js";
import { read } from "./service.js";

await show(async (status) => {
  const slug = new URLSearchParams(location.search).get("slug") ?? "";
  const section = await read(`/v1/sections/${encodeURIComponent(slug)}`);
  const questions = await Promise.all(section.faqs.map((faq) => read(`/v1/faqs/${encodeURIComponent(faq)}`)));
  const { image, call_to_action: call, references } = section;
  describe({ locale: section.locale, description: section.summary });
  return [
    make("h1", {}, section.title),
    notices(section.notices, status),
    image && make("img", { src: image.url, alt: image.alt, loading: "lazy" }),
    html(section.body.html),
    call && action(call),
    list("Sources", references.map(({ label, url }) => linked(label, url))),
    list("Questions on this", questions.map((faq) =>
      make("a", { href: `questions.html#${faq.slug}` }, faq.question))),
    dates(section),
  ];
});

// The service disables the button while the clinic accepts no requests.
function action({ label, enabled, disabled_reason: reason }) {
  const words = reason === "permanently_closed" ? "no longer possible" : "not possible at the moment";
  return make("p", {}, enabled ? make("a", { class: "action", href: "request.html" }, label)
    : make("span", { class: "action off" }, `${label}: ${words}`));
}

// A date that is not known is null.
function dates({ updated_at: changed, review: { last_reviewed_on: reviewed } }) {
  return make("p", { class: "dates" }, changed && `Last changed on ${day(changed)}. `,
    reviewed ? `Last reviewed on ${day(reviewed)}.` : "When it was last reviewed is not known.");
}

function list(title, entries) {
  return entries.length > 0
    && make("section", {}, make("h2", {}, title), make("ul", {}, entries.map((entry) => make("li", {}, entry))));
}
