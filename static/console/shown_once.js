"use strict";

// A page with data-shown-once="URL" takes that address, so that loading it again opens what it is about, and never
// comes back from the browser's memory of pages.
const shownOnce = document.querySelector("[data-shown-once]");
if (shownOnce) {
  history.replaceState(null, "", shownOnce.dataset.shownOnce);
  window.addEventListener("pagehide", () => shownOnce.replaceChildren());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(shownOnce.dataset.shownOnce);
  });
}
