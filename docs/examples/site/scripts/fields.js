// The fields of the served form as one list. A question or a further consent of the clinic is in a nested object of
// the schema; its path has both names: `answers.first_visit`, `consents.newsletter`.

// Returns `[{path, schema, ui, needed, choices}]` in the order of `ui`.
export function fieldsOf({ schema, ui }) {
  const fields = [];
  const collect = ({ properties, required = [] }, group) => {
    for (const [name, field] of Object.entries(properties)) {
      const path = group ? `${group}.${name}` : name;
      if (field.type === "object") collect(field, name);
      else fields.push({
        path,
        schema: field,
        ui: ui.fields[path] ?? ui.fields[name] ?? {},
        needed: required.includes(name),
        choices: choicesOf(field),
      });
    }
  };
  collect(schema, null);
  return fields.toSorted((one, other) => rank(one.path, ui.order) - rank(other.path, ui.order));
}

// The order has the path of a field, its name, or the name of the object that contains it.
function rank(path, order) {
  const [group, name = group] = path.split(".");
  return [path, name, group].map((entry) => order.indexOf(entry)).find((index) => index >= 0) ?? order.length;
}

function choicesOf({ oneOf, items }) {
  return (oneOf ?? items?.oneOf)?.map((one) => ({ value: one.const ?? one.enum[0], title: one.title }));
}

export const isNumber = ({ type }) => type === "number" || type === "integer";

// What to send for the value of an input; undefined if the input is empty. Text that is not a number is sent as it is:
// the service refuses it with a text for the patient.
export function valueOf({ schema }, entered) {
  if (entered === false || entered.length === 0) return undefined;
  if (!isNumber(schema)) return entered;
  if (entered.trim() === "") return undefined;
  return Number.isFinite(Number(entered)) ? Number(entered) : entered;
}

// The inverse of the paths: `[["answers.first_visit", "yes"]]` becomes `{answers: {first_visit: "yes"}}`.
export function nested(entries) {
  const value = {};
  for (const [path, one] of entries) {
    const [name, group] = path.split(".").reverse();
    (group ? (value[group] ??= {}) : value)[name] = one;
  }
  return value;
}
