// The labels for the service's codes.

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

export const QUARANTINE = {
  honeypot: "a field that people do not see was filled in",
  too_fast: "it was sent faster than a person types",
  staff: "staff marked it as spam",
};

export const CLINIC = {
  open: "Open",
  temporarily_closed: "Temporarily closed",
  permanently_closed: "Permanently closed",
};

export const MODES = {
  "": "Default of the state",
  open: "Accepted",
  waitlist: "Accepted, on a waiting list",
  paused: "Not accepted for now",
};
