import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { keep, readForm, send } from "./send.js";

// JSONForms shows labels only for choices with `const`.
const form = await readForm("const");
// Its vanilla renderers show members of an object only if they are named one by one.
const layout = {
  type: "VerticalLayout",
  elements: form.ui.order.map((name) => (
    { type: "Control", scope: `#/properties/${name.replace(".", "/properties/")}` }
  )),
};
// JSONForms stores the data itself, and reports each change.
const NOTHING = {};

function Page() {
  const [data, setData] = useState({});
  return (
    <>
      <JsonForms
        schema={form.schema}
        uischema={layout}
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
