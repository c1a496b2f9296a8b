"use strict";
(() => {
  const form = document.getElementById("filter");
  if (form) {
    const field = document.getElementById("filter-text");
    const count = document.getElementById("filter-count");
    const rows = [...document.querySelectorAll("#cases tbody tr")];
    const apply = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
      let shown = 0;
      for (const row of rows) {
        const told = row.textContent.toLowerCase();
        row.hidden = !chosen.has(row.dataset.outcome) || !words.every((word) => told.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      for (const group of document.querySelectorAll("#cases .group")) {
        group.hidden = !group.querySelector("tbody tr:not([hidden])");
      }
      count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  // A link into a part that is folded opens it.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target && target.closest("details"); part; part = part.parentElement.closest("details")) {
      part.open = true;
    }
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
