// The served JSON Schema as a form, by the library Jedison.
import Jedison from "../node_modules/jedison/dist/esm/jedison.js";

export class Form {
  // `filled` is what was filled in before, if anything was.
  constructor(container, { schema, ui }, filled = {}) {
    this.names = ui.order;
    this.library = new Jedison.Create({
      container,
      theme: new Jedison.Theme(),
      id: "request",
      schema: dressed(schema, ui),
      // A fault that was told goes while its field is typed in. Were it when the field is left, what is
      // below would move away under the pointer, and the click would miss.
      showErrors: "input",
      objectAdd: false,
      // Nothing is chosen for anybody.
      enforceEnum: false,
      muteValidationMessages: ["enum", "properties"],
      purifyData: false,
    });
    for (const name of this.names) {
      if (name in filled) this.field(name).setValue(filled[name]);
    }
  }

  // What was filled in; what was left alone is not there.
  get value() {
    const filled = this.names.map((name) => [name, this.field(name).getValue()]);
    return Object.fromEntries(filled.filter(([, value]) => value !== "" && value !== false));
  }

  field(name) {
    return this.library.getInstance(`#/${name}`);
  }

  // Shows each field its faults: what the service told, `[{pointer, detail}]`.
  tell(faults) {
    for (const name of this.names) {
      const path = `#/${name}`;
      const messages = faults.filter((fault) => fault.pointer === path).map((fault) => fault.detail);
      this.field(name).ui.showValidationErrors([{ type: "error", path, messages }], true);
    }
  }

  input(name) {
    const { input, radios } = this.field(name).ui.control;
    return input ?? radios[0];
  }
}

// The schema with what `ui` says of each field, in the library's own keywords. Its constraints are left to
// the service, which tells what is wrong all at once and in words for patients.
function dressed(schema, ui) {
  const properties = ui.order.map((name) =>
    [name, dressedField(schema.properties[name], ui.fields[name], schema.required.includes(name))]);
  return { type: "object", properties: Object.fromEntries(properties), title: "Your request", "x-titleHidden": true };
}

function dressedField({ type, title, description, oneOf }, { widget, autocomplete, input_mode: inputmode }, needed) {
  const choices = oneOf && [...(widget === "select" ? [{ enum: [""], title: "Please choose" }] : []), ...oneOf];
  const attributes = { autocomplete, inputmode, "aria-required": needed && "true" };
  return {
    type,
    title,
    description,
    "x-format": widget === "radio" ? "radios" : widget,
    "x-inputAttributes": Object.fromEntries(Object.entries(attributes).filter(([, value]) => value)),
    ...(needed && { "x-containerAttributes": { class: "needed" } }),
    ...(choices && { enum: choices.map((one) => one.enum[0]), "x-enumTitles": choices.map((one) => one.title) }),
  };
}
