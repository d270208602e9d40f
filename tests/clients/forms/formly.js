import "zone.js";
import "@angular/compiler";
import { Component, importProvidersFrom, provideZoneChangeDetection } from "@angular/core";
import { ReactiveFormsModule, UntypedFormGroup } from "@angular/forms";
import { bootstrapApplication } from "@angular/platform-browser";
import { FormlyBootstrapModule } from "@ngx-formly/bootstrap";
import { FormlyModule } from "@ngx-formly/core";
import { FormlyJsonschema } from "@ngx-formly/core/json-schema";
import { keep, readForm, send } from "./send.js";

const form = await readForm();

class Page {
  group = new UntypedFormGroup({});
  fields = [new FormlyJsonschema().toFieldConfig(form.schema)];
  model = {};

  constructor() {
    keep(this.model);
    this.group.valueChanges.subscribe(() => keep(this.model));
  }

  send() {
    if (this.group.valid) send(form, this.model);
  }
}

// Calls the decorator as a function, because no build step compiles decorators.
Component({
  selector: "clinic-form",
  imports: [ReactiveFormsModule, FormlyModule, FormlyBootstrapModule],
  template: `<form [formGroup]="group" (ngSubmit)="send()">
    <formly-form [form]="group" [fields]="fields" [model]="model"></formly-form>
    <button type="submit">Submit</button>
  </form>`,
})(Page);

document.getElementById("form").append(document.createElement("clinic-form"));
await bootstrapApplication(Page, {
  providers: [
    provideZoneChangeDetection(),
    // The library has no default type for objects.
    importProvidersFrom(FormlyModule.forRoot({ types: [{ name: "object", extends: "formly-group" }] })),
    importProvidersFrom(FormlyBootstrapModule),
  ],
});
