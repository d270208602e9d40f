import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { keep, readForm, send } from "./send.js";

// JSONForms shows labels only for choices with `const`.
const form = await readForm("const");
// JSONForms stores the data itself, and reports each change.
const NOTHING = {};

function Page() {
  const [data, setData] = useState({});
  return (
    <>
      <JsonForms
        schema={form.schema}
        data={NOTHING}
        renderers={vanillaRenderers}
        cells={vanillaCells}
        onChange={(state) => {
          setData(state.data);
          keep(state.data);
        }}
      />
      <button onClick={() => send(form, data)}>Submit</button>
    </>
  );
}

createRoot(document.getElementById("form")).render(<Page />);
