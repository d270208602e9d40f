// Renders the served JSON Schema as a form with the library Jedison.
import Jedison from "../node_modules/jedison/dist/esm/jedison.js";
import { fieldsOf, isNumber, nested, valueOf } from "./fields.js";

export class Form {
  // `entered` has the values of the inputs of an earlier form.
  constructor(container, served, entered = {}) {
    this.fields = fieldsOf(served);
    this.library = new Jedison.Create({
      container,
      theme: new Jedison.Theme(),
      id: "request",
      schema: {
        type: "object",
        properties: Object.fromEntries(this.fields.map((field) => [keyOf(field), librarySchema(field)])),
        title: "Your request",
        "x-titleHidden": true,
      },
      // Removes a field's message while the user types. If it were removed when the field loses the focus,
      // the elements below would move, and a click on them would miss.
      showErrors: "input",
      objectAdd: false,
      // The form selects no value by itself.
      enforceEnum: false,
      muteValidationMessages: ["enum", "properties"],
      purifyData: false,
    });
    for (const field of this.fields) {
      if (fits(field, entered[field.path])) this.#instance(field).setValue(entered[field.path]);
    }
  }

  // The values of the inputs, by path.
  get entered() {
    return Object.fromEntries(this.fields.map((field) => [field.path, this.#instance(field).getValue()]));
  }

  // What to send: the values without the empty ones.
  get value() {
    const { entered } = this;
    return nested(this.fields.map((field) => [field.path, valueOf(field, entered[field.path])])
      .filter(([, value]) => value !== undefined));
  }

  // Shows the service's faults, `[{pointer, detail}]`, at their fields.
  showFaults(faults) {
    for (const field of this.fields) {
      const messages = faults.filter((fault) => this.named(fault) === field).map((fault) => fault.detail);
      const { path, ui } = this.#instance(field);
      ui.showValidationErrors([{ type: "error", path, messages }], true);
    }
  }

  // The field that a fault's pointer names: `#/answers/first_visit`.
  named({ pointer }) {
    return this.fields.find(({ path }) => pointer === `#/${path.replace(".", "/")}`);
  }

  input(field) {
    const { input, radios, checkboxes } = this.#instance(field).ui.control;
    return input ?? (radios ?? checkboxes)[0];
  }

  #instance(field) {
    return this.library.getInstance(`#/${keyOf(field)}`);
  }
}

// The library makes the ids of elements from these keys, and leaves dots out.
const keyOf = ({ path }) => path.replace(".", "-");

// Whether a value of an earlier form can be entered in this field.
function fits({ schema, choices }, value) {
  if (value === undefined || Array.isArray(value) !== (schema.type === "array")) return false;
  if (choices) return [value].flat().every((one) => choices.some((choice) => choice.value === one));
  return (typeof value === "boolean") === (schema.type === "boolean");
}

// A field in the keywords of the library. It has no constraints: the service checks them, and reports all faults at
// once in texts for patients.
function librarySchema({ schema, ui: { widget, autocomplete, input_mode: inputmode }, needed, choices }) {
  const { title, description } = schema;
  const common = { title, ...(description && { description }), ...(needed && { "x-containerAttributes": { class: "needed" } }) };
  if (schema.type === "array") {
    return { ...common, type: "array", uniqueItems: true, items: { type: "string", ...listed(choices) } };
  }
  if (choices) {
    const select = widget === "select";
    return {
      ...common, type: "string", "x-format": select ? "select" : "radios",
      ...listed(select ? [{ value: "", title: "Please choose" }, ...choices] : choices),
      ...(select && needed && { "x-inputAttributes": { "aria-required": "true" } }),
    };
  }
  // An input of the type "number" would lose what a patient typed if it is no number.
  const numeric = isNumber(schema);
  const attributes = { autocomplete, inputmode: inputmode ?? (numeric && "decimal"), "aria-required": needed && "true" };
  return {
    ...common,
    type: schema.type === "boolean" ? "boolean" : "string",
    "x-format": schema.type === "boolean" ? "checkbox" : numeric ? "text" : widget ?? schema.format ?? "text",
    "x-inputAttributes": Object.fromEntries(Object.entries(attributes).filter(([, value]) => value)),
  };
}

const listed = (choices) => ({
  enum: choices.map(({ value }) => value), "x-enumTitles": choices.map(({ title }) => title),
});
