// Says what went wrong with a security key, instead of only writing it to the browser's console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const name = event.detail.exception?.name;
  const said =
    name === "InvalidStateError"
      ? "This key or device is set up already."
      : name === "NotAllowedError"
        ? "Nothing happened: the request was cancelled or took too long. Try again."
        : "The key or device could not be used. Try again, or use another factor.";
  const place = document.querySelector(".as-account__actions");
  const note = document.getElementById("key-error") ?? document.createElement("p");
  note.id = "key-error";
  note.className = "as-account__error";
  note.setAttribute("role", "alert");
  note.textContent = said;
  place.before(note);
});
