import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { createRoot } from "react-dom/client";
import { readForm, send } from "./send.js";

const form = await readForm();
createRoot(document.getElementById("form")).render(
  <Form
    schema={form.schema}
    uiSchema={{ "ui:order": form.ui.order }}
    validator={validator}
    // Or it would tick the consent and choose a topic by itself.
    experimental_defaultFormStateBehavior={{ constAsDefaults: "never" }}
    noHtml5Validate
    // What is missing is shown in the page; it need not be in the console too.
    onError={() => {}}
    onSubmit={({ formData }) => send(form, formData)}
  />,
);
