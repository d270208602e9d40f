// The staff page: signing in and out, and choosing the view by the fragment of the URL.

import { complain, element, field, once, say, show } from "/staff/dom.js";
import { showInbox } from "/staff/inbox.js";
import { forgetDraft, showRequest } from "/staff/request.js";
import { Problem, readClinic, readMe, session } from "/staff/service.js";
import { showStatus } from "/staff/status.js";
import { useZone, zoneName } from "/staff/zone.js";

let me = null;

function signIn(reason) {
  me = null;
  session.end();
  forgetDraft();
  frame(false);
  const token = element("input", {
    type: "password", required: true, autocomplete: "off", spellcheck: "false", autocapitalize: "off",
  });
  const button = element("button", {}, "Sign in");
  const form = element("form", { class: "sign-in" }, field("Token", token, "It begins with clinic_."), button);
  form.addEventListener("submit", once(button, async () => {
    session.token = token.value.trim();
    try {
      await enter();
    } catch (problem) {
      session.end();
      complain(form, problem.status === 401 ? "This token is not known or not valid any more." : problem.text);
      return;
    }
    say("");
    await route();
  }));
  show("Sign in", element("p", {}, "The operator of the service creates a token for you. The page forgets it when you close this tab."), form);
  if (reason) complain(form, reason);
}

async function enter() {
  const [who, clinic] = await Promise.all([readMe(), readClinic()]);
  useZone(clinic.time_zone);
  me = who;
}

function frame(isSignedIn) {
  document.querySelector("nav").hidden = !isSignedIn;
  document.querySelector(".who").hidden = !isSignedIn;
  document.getElementById("owner").textContent = isSignedIn ? me.owner : "";
  document.querySelector("footer").hidden = !isSignedIn;
  document.getElementById("zone").textContent = isSignedIn ? zoneName() : "";
  const here = location.hash.startsWith("#/status") ? "#/status" : "#/";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function route() {
  if (!me) return;
  frame(true);
  const request = location.hash.match(/^#\/requests\/([0-9a-f-]{36})$/);
  if (request) await showRequest(me, request[1]);
  else if (location.hash === "#/status") await showStatus(me);
  else await showInbox(me);
}

window.addEventListener("hashchange", () => { say(""); route(); });
window.addEventListener("token-refused", (event) => {
  if (!me) return;
  event.preventDefault();
  signIn("You were signed out: the token is not valid any more.");
});
document.getElementById("leave").addEventListener("click", () => { say(""); signIn(); });
document.querySelector(".skip").addEventListener("click", (event) => {
  // The link must not change the fragment of the URL, which selects the view.
  event.preventDefault();
  document.getElementById("main").focus();
});

if (session.token) {
  try {
    await enter();
    await route();
  } catch (problem) {
    signIn(problem instanceof Problem && problem.status === 401 ? null : problem.text);
  }
} else signIn();
