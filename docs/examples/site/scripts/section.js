import { day, html, linked, make, notices, show } from "./page.js";
import { read } from "./service.js";

await show(async () => {
  const slug = new URLSearchParams(location.search).get("slug") ?? "";
  const section = await read(`/v1/sections/${encodeURIComponent(slug)}`);
  const questions = await Promise.all(section.faqs.map((faq) => read(`/v1/faqs/${encodeURIComponent(faq)}`)));
  const { image, call_to_action: call, references, review } = section;
  return [
    make("h1", {}, section.title),
    notices(section.notices),
    image && make("img", { src: image.url, alt: image.alt, loading: "lazy" }),
    html(section.body.html),
    call && action(call),
    list("Sources", references.map(({ label, url }) => linked(label, url))),
    list("Questions on this", questions.map((faq) =>
      make("a", { href: `questions.html#${faq.slug}` }, faq.question))),
    make("p", { class: "dates" }, `Last changed on ${day(section.updated_at)}. `,
      review.last_reviewed_on ? `Last reviewed on ${day(review.last_reviewed_on)}.`
        : "When it was last reviewed is not known."),
  ];
});

// The service disables the button while the clinic accepts no requests.
function action({ label, enabled }) {
  return make("p", {}, enabled ? make("a", { class: "action", href: "request.html" }, label)
    : make("span", { class: "action off" }, `${label}: not possible at the moment`));
}

function list(title, entries) {
  return entries.length > 0
    && make("section", {}, make("h2", {}, title), make("ul", {}, entries.map((entry) => make("li", {}, entry))));
}
