// Everything the browser does that HTML and htmx do not: dialog, keys, colours, toasts.
"use strict";

const dialog = document.getElementById("dialog");
const toasts = document.getElementById("toasts");
const TOAST_MS = 8000;
let opener = null;

// The dialog opens when htmx has filled it and gives the focus back to what opened it.
function openDialog() {
  if (!dialog || !dialog.firstElementChild) return;
  if (!dialog.open) {
    opener = document.activeElement;
    dialog.setAttribute("aria-labelledby", "dialog-title");
    dialog.showModal();
  }
  (dialog.querySelector("[data-focus]") || dialog.querySelector("[autofocus]"))?.focus();
}

function closeDialog() {
  if (dialog?.open) dialog.close();
}

dialog?.addEventListener("close", () => {
  dialog.replaceChildren();
  dialog.removeAttribute("aria-labelledby");
  if (opener?.isConnected) opener.focus();
  opener = null;
});
// A click on the backdrop is a click on the dialog itself.
dialog?.addEventListener("mousedown", (event) => {
  if (event.target === dialog) closeDialog();
});
document.addEventListener("close-dialog", closeDialog);
document.addEventListener("click", (event) => {
  if (!dialog?.open || !event.target.closest?.("[data-close]")) return;
  event.preventDefault();
  closeDialog();
});

document.addEventListener("htmx:after:swap", () => {
  openDialog();
  watchToasts();
  reachTables();
  if (!dialog?.querySelector("[data-unmark]")) return;
  // What was to be done with the selected rows is done.
  for (const box of document.querySelectorAll("form > .scroll :checked")) box.checked = false;
});

// A table that is wider than its place scrolls there (app.css), with the keyboard, too.
function reachTables() {
  for (const place of document.querySelectorAll(".scroll")) {
    place.removeAttribute("tabindex");
    if (place.scrollWidth > place.clientWidth + 1) place.tabIndex = 0;
  }
}
addEventListener("resize", reachTables);
reachTables();

// A toast goes after eight seconds, but never while somebody points at it.
function watchToasts() {
  for (const toast of toasts?.querySelectorAll(".toast:not([data-seen])") ?? []) {
    toast.dataset.seen = "1";
    const leave = () => (toast.matches(":hover") ? setTimeout(leave, 1000) : toast.remove());
    setTimeout(leave, TOAST_MS);
  }
}
watchToasts();
document.querySelector("main [data-focus]")?.focus();

// Light, dark, or what the machine says; the server keeps the choice in a cookie.
document.addEventListener("theme", (event) => {
  const name = event.detail.name;
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  for (const button of document.querySelectorAll("#theme button")) {
    button.setAttribute("aria-pressed", String(button.value === name));
  }
});

// A list of choices closes when somebody points or moves elsewhere. A press on one of its labels
// moves the focus to what is around it: closing then would pull the label from under the pointer.
for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    for (const pick of document.querySelectorAll("details.pick[open]")) {
      const around = kind === "focusin" && target.contains(pick);
      if (!around && !pick.contains(target)) pick.open = false;
    }
  });
}

// "Select all" of a list with checkboxes.
document.addEventListener("change", (event) => {
  const all = event.target.closest?.("thead input[type=checkbox]");
  const boxes = all?.closest("table").querySelectorAll("tbody input[type=checkbox]");
  for (const box of boxes ?? []) box.checked = all.checked;
});

// Keys: / search, j k move in a list, x select, Enter open, e the proposed act. They never fire
// in text or dialogs, with a modifier, or when somebody switched them off; none moves money.
const rows = () => [...document.querySelectorAll("[data-list] > tr")];
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

// The row that somebody clicks or tabs into is the one that the keys go on from.
function choose(row) {
  if (!row) return;
  for (const one of rows()) one.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
}
document.addEventListener("focusin", (event) => choose(event.target.closest("[data-list] > tr")));

function mark(step) {
  const all = rows();
  const now = all.findIndex((row) => row.ariaSelected === "true");
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  choose(next);
  next?.querySelector("a")?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

const inRow = (what) => document.querySelector(`[data-list] > tr[aria-selected=true] ${what}`);

const KEYS = {
  "/": () => document.getElementById("q")?.focus(),
  j: () => mark(1),
  k: () => mark(-1),
  x: () => inRow("input[type=checkbox]")?.click(),
  e: () => inRow("[data-act]")?.click(),
  "?": () => document.getElementById("keys")?.showPopover?.(),
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.(TYPED);
  if (field || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  if (document.documentElement.dataset.keys === "off" || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

// A plain form is sent once, however often somebody clicks; htmx forms disable their button. A
// download leaves the page where it is, so its form can be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[hx-post], [data-download]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
