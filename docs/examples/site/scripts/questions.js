import { day, describe, html, make, notices, show } from "./page.js";
import { readAll } from "./service.js";

await show(async (status) => {
  const { data: questions, meta } = await readAll("/v1/faqs");
  describe({ locale: questions[0]?.locale });
  const entries = questions.map((faq) => ({
    topic: faq.topic, element: answer(faq, status), words: normalized(`${faq.question} ${faq.answer.text}`),
  }));
  const groups = topicsOf(questions, meta).map(({ slug, name }) => {
    const own = entries.filter((entry) => entry.topic === slug);
    return { own, element: make("section", {}, make("h2", {}, name), own.map((entry) => entry.element)) };
  });
  const found = make("p", { role: "status" });
  const search = make("input", { id: "search", type: "search", autocomplete: "off", oninput: filter });

  // Shows the questions that contain every word. The search text never leaves the page.
  function filter() {
    const wanted = normalized(search.value).split(/\s+/).filter(Boolean);
    for (const { element, words } of entries) {
      element.hidden = !wanted.every((word) => words.includes(word));
    }
    for (const { own, element } of groups) element.hidden = own.every((entry) => entry.element.hidden);
    const count = entries.filter((entry) => !entry.element.hidden).length;
    found.textContent = count === 0 ? "No question has all of these words."
      : `${count} of ${entries.length} questions`;
  }

  filter();
  return [
    make("h1", {}, "Questions and answers"),
    make("div", { role: "search", class: "field" },
      make("label", { for: "search" }, "Search the questions"), search, found),
    groups.map(({ element }) => element),
  ];
});
openNamed();
addEventListener("hashchange", openNamed);

// The topics with their names; the slug is shown where the service has no name.
function topicsOf(questions, { topics = [] }) {
  const named = new Map(topics.map(({ slug, name }) => [slug, name]));
  const slugs = new Set([...named.keys(), ...questions.map(({ topic }) => topic)]);
  return [...slugs].map((slug) => ({ slug, name: named.get(slug) ?? readable(slug) }));
}

function readable(slug) {
  return slug[0].toUpperCase() + slug.slice(1).replaceAll("-", " ");
}

function normalized(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function answer(faq, status) {
  return make("details", { id: faq.slug },
    make("summary", {}, faq.question),
    !faq.answered && make("p", { class: "unanswered" }, "This question has no answer yet."),
    html(faq.answer.html),
    notices(faq.notices, status),
    faq.updated_at && make("p", { class: "dates" }, `Last changed on ${day(faq.updated_at)}.`));
}

// Opens the question that the URL's fragment names.
function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.querySelector("summary").focus();
}
