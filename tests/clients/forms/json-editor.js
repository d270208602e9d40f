import { JSONEditor } from "@json-editor/json-editor/dist/jsoneditor.js";
import { keep, readForm, send } from "./send.js";

const form = await readForm("json-editor");
const place = document.getElementById("form");
const library = new JSONEditor(place, { schema: form.schema });
library.on("change", () => keep(library.getValue()));

const button = document.createElement("button");
button.textContent = "Submit";
button.addEventListener("click", () => {
  if (!library.validate().length) send(form, library.getValue());
});
place.after(button);
