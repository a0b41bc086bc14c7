"use strict";

// The file stays here: its SHA-256 is computed in the browser, and only that is sent with the form.
(() => {
  const form = document.getElementById("verify");
  const input = document.getElementById("id_artifact");
  const digest = document.getElementById("id_artifact_sha256");
  const shown = document.querySelector(".as-drop__digest");
  const button = form.querySelector("button[type=submit]");
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const compute = async () => {
    const [file] = input.files;
    digest.value = "";
    if (!file) return;
    button.disabled = true;
    shown.textContent = "Computing its SHA-256 …";
    try {
      const found = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      if (input.files[0] !== file) return;
      digest.value = found;
      shown.textContent = `SHA-256 ${found}`;
    } catch {
      shown.textContent = "This browser cannot read it; the receipt will be judged without it.";
    } finally {
      button.disabled = false;
    }
  };

  input.addEventListener("change", compute);
  compute();
})();
