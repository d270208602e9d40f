// A form with a question of each type and a further consent, as a clinic can have them.

const oneOf = (choices) => Object.entries(choices).map(([value, title]) => ({ enum: [value], title }));

const ANSWERS = {
  first_visit: { type: "string", title: "Is this your first visit?", oneOf: oneOf({ yes: "Yes", no: "No" }) },
  language: { type: "string", title: "Which language do you prefer?", oneOf: oneOf({ en: "English", es: "Spanish" }) },
  days: {
    type: "array", uniqueItems: true, title: "Which days suit you?", description: "Choose all that suit you.",
    items: { type: "string", oneOf: oneOf({ monday: "Monday", tuesday: "Tuesday", friday: "Friday" }) },
  },
  referred_by: { type: "string", title: "Who referred you?", maxLength: 200 },
  goals: { type: "string", title: "What do you hope for?", maxLength: 2000 },
  children: { type: "integer", title: "How many children come with you?", description: "A whole number.", minimum: 0 },
  from_day: { type: "string", format: "date", title: "From which day on?" },
};
const WIDGETS = {
  first_visit: "radio", language: "select", days: "checkboxes", referred_by: "text", goals: "textarea", children: "number", from_day: "date",
};
const described = (names, prefix) => Object.fromEntries(Object.entries(names).map(([name, widget]) =>
  [prefix + name, { widget, autocomplete: null, input_mode: null }]));

// Adds the questions and the consent to a served form. Their names in `ui` have a prefix, or none.
export function withQuestions(form, { prefixed = true } = {}) {
  const [answers, consents] = prefixed ? ["answers.", "consents."] : ["", ""];
  const { schema, ui } = form;
  const last = ui.order.at(-1);
  return {
    ...form,
    locale: "en-US",
    schema: {
      ...schema,
      properties: {
        ...schema.properties,
        answers: { type: "object", title: "Questions", properties: ANSWERS, required: ["first_visit", "days"] },
        consents: { type: "object", title: "Consents", properties: { newsletter: { type: "boolean", title: "The clinic may send me news." } } },
      },
      required: [...schema.required, "answers"],
    },
    ui: {
      order: [...ui.order.slice(0, -1), ...Object.keys(ANSWERS).map((name) => answers + name), last, `${consents}newsletter`],
      fields: { ...ui.fields, ...described(WIDGETS, answers), ...described({ newsletter: "checkbox" }, consents) },
    },
  };
}
