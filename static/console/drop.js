"use strict";

// Boxes to drop a file on: the file input fills the box, so dropping is the browser's own work; here only names are shown.
for (const box of document.querySelectorAll(".as-drop")) {
  const input = box.querySelector("input[type=file]");
  const name = box.querySelector(".as-drop__name");
  const show = () => {
    const [file] = input.files;
    name.textContent = file ? `${file.name} (${file.size.toLocaleString("en")} bytes)` : name.dataset.empty;
    box.toggleAttribute("data-filled", Boolean(file));
  };
  input.addEventListener("change", show);
  for (const kind of ["dragenter", "dragover"]) input.addEventListener(kind, () => box.setAttribute("data-over", ""));
  for (const kind of ["dragleave", "drop"]) input.addEventListener(kind, () => box.removeAttribute("data-over"));
  show();
}
