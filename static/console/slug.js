// Offers a slug made from the name, until somebody types one. Creators have none: theirs must not tell who they are.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const slug = document.querySelector(".as-form form input[name=slug]");
    const name = document.querySelector(".as-form form input[name=name]");
    if (!slug || !name || slug.value) return;
    let own = false;
    slug.addEventListener("input", () => { own = slug.value !== ""; });
    name.addEventListener("input", () => {
        if (own) return;
        const plain = name.value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
        slug.value = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50);
    });
});
