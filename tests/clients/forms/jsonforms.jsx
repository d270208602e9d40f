import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { readForm, send } from "./send.js";

const form = await readForm();
// It keeps the data itself, and tells of each change.
const NOTHING = {};

function Page() {
  const [state, setState] = useState({ data: {}, errors: [] });
  return (
    <>
      <JsonForms
        schema={form.schema}
        data={NOTHING}
        renderers={vanillaRenderers}
        cells={vanillaCells}
        onChange={setState}
      />
      <p id="faults">{state.errors.length} faults</p>
      <button onClick={() => send(form, state.data)}>Submit</button>
    </>
  );
}

createRoot(document.getElementById("form")).render(<Page />);
