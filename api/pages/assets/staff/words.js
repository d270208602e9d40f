// The service's codes in words.

export const STATES = {
  received: "Received",
  waitlisted: "On the waiting list",
  contacted: "Contacted",
  scheduled: "Scheduled",
  completed: "Completed",
  declined: "Declined",
  withdrawn: "Withdrawn",
  closed_out: "Closed out",
};

export const MOVES = {
  contacted: "Mark as contacted",
  scheduled: "Mark as scheduled",
  completed: "Mark as completed",
  declined: "Decline",
  closed_out: "Close out",
};

export const SENT = {
  name: "Name",
  email: "E-mail",
  phone: "Phone",
  preferred_contact: "Would rather be reached by",
  may_leave_voicemail: "May leave a voicemail",
  best_time: "Best time",
  topic: "About",
  message: "Message",
};

export const QUARANTINE = {
  honeypot: "a field that people do not see was filled in",
  too_fast: "it was sent faster than a person types",
  staff: "staff put it there",
};

export const CLINIC = {
  open: "Open",
  temporarily_closed: "Temporarily closed",
  permanently_closed: "Permanently closed",
};

export const MODES = {
  "": "As usual for this state",
  open: "Taken",
  waitlist: "Taken, on a waiting list",
  paused: "Not taken for now",
};

// A value as a person says it: `chronic_pain` is chronic pain.
export function plain(value) {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return String(value).replaceAll("_", " ");
}
