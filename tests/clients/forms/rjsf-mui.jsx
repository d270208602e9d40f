import Form from "@rjsf/mui";
import validator from "@rjsf/validator-ajv8";
import { createRoot } from "react-dom/client";
import { keep, readForm, send } from "./send.js";

const form = await readForm();
createRoot(document.getElementById("form")).render(
  <Form
    schema={form.schema}
    validator={validator}
    ref={(library) => library && keep(library.state.formData)}
    onChange={({ formData }) => keep(formData)}
    onSubmit={({ formData }) => send(form, formData)}
  />,
);
