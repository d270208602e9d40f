// The types that a frontend can rely on. This does not compile if the document promises less.
import type { components, operations, webhooks } from "./openapi";

type Schemas = components["schemas"];
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<_T extends true>(): void {}

// Every field is present; an unknown value is null.
assertType<Same<Schemas["StatusPublic"]["reopens_on"], string | null>>();
assertType<Same<Schemas["StatusPublic"]["next_change"], Schemas["StatusChangePublic"] | null>>();
assertType<Same<Schemas["ClinicPublic"]["name"], string | null>>();
assertType<Same<Schemas["SectionPublic"]["call_to_action"], Schemas["CallToActionPublic"] | null>>();
assertType<Same<Required<Schemas["FAQPublic"]>, Schemas["FAQPublic"]>>();
assertType<Same<Required<Schemas["BundlePublic"]>, Schemas["BundlePublic"]>>();
assertType<Same<Schemas["FAQList"]["data"], Schemas["FAQPublic"][]>>();
assertType<Same<Schemas["FAQList"]["meta"]["next_cursor"], string | null>>();

// The states are an enum, so that the compiler checks a switch over them.
export function banner(status: Schemas["StatusPublic"]): string {
  switch (status.state) {
    case "open":
      return "";
    case "temporarily_closed":
      return status.reopens_on === null ? status.headline : `${status.headline}: ${status.reopens_on}`;
    case "permanently_closed":
      return status.headline;
  }
}

// The form's schema is an object for a form library.
export function forLibrary(form: Schemas["ConsultationFormPublic"]): object {
  return form.schema;
}

// All errors have one shape, and each fault has the pointer to its field.
type Refused = operations["createConsultationRequest"]["responses"][422]["content"]["application/problem+json"];
export function faults(problem: Refused): [string | null, string][] {
  return (problem.errors ?? []).map((fault) => [fault.pointer ?? null, fault.detail]);
}

// A request needs these fields only.
export const request: Schemas["ConsultationRequestCreate"] = {
  name: "Robin",
  email: "robin@example.com",
  topic: "prefer_not_to_say",
  consent_to_contact: true,
  form_version: 1,
};

// The `type` of a webhook message determines the type of its data.
type Message = Schemas["RequestReceivedEvent"] | Schemas["RequestChangedEvent"] | Schemas["RequestWithdrawnEvent"]
  | Schemas["StatusChangedEvent"];
export function line(message: Message): string {
  switch (message.type) {
    case "request.received":
    case "request.changed":
    case "request.withdrawn":
      return `${message.data.id} ${message.data.state satisfies Schemas["RequestState"]}`;
    case "status.changed":
      return message.data.state satisfies Schemas["ClinicState"];
  }
}
type Received = webhooks["request.received"]["post"]["requestBody"]["content"]["application/json"];
assertType<Same<Received, Schemas["RequestReceivedEvent"]>>();
