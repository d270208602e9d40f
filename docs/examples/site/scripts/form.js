// Renders the served JSON Schema as a form with the library Jedison.
import Jedison from "../node_modules/jedison/dist/esm/jedison.js";

export class Form {
  // `filled` has the values that were entered before.
  constructor(container, { schema, ui }, filled = {}) {
    this.names = ui.order;
    this.library = new Jedison.Create({
      container,
      theme: new Jedison.Theme(),
      id: "request",
      schema: librarySchema(schema, ui),
      // Removes a field's message while the user types. If it were removed when the field loses the focus,
      // the elements below would move, and a click on them would miss.
      showErrors: "input",
      objectAdd: false,
      // The form selects no value by itself.
      enforceEnum: false,
      muteValidationMessages: ["enum", "properties"],
      purifyData: false,
    });
    for (const name of this.names) {
      if (name in filled) this.field(name).setValue(filled[name]);
    }
  }

  // The values that were entered, without empty fields.
  get value() {
    const filled = this.names.map((name) => [name, this.field(name).getValue()]);
    return Object.fromEntries(filled.filter(([, value]) => value !== "" && value !== false));
  }

  field(name) {
    return this.library.getInstance(`#/${name}`);
  }

  // Shows the service's faults, `[{pointer, detail}]`, at their fields.
  showFaults(faults) {
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

// The schema with the data of `ui`, in the keywords of the library. It has no constraints: the service checks
// them, and reports all faults at once in texts for patients.
function librarySchema(schema, ui) {
  const properties = ui.order.map((name) =>
    [name, libraryField(schema.properties[name], ui.fields[name], schema.required.includes(name))]);
  return { type: "object", properties: Object.fromEntries(properties), title: "Your request", "x-titleHidden": true };
}

function libraryField({ type, title, description, oneOf }, { widget, autocomplete, input_mode: inputmode }, needed) {
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
