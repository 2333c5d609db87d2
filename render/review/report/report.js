"use strict";
(function () {
  const all = Array.from(document.querySelectorAll("details.c"));
  const bar = document.querySelector(".filters");
  const text = document.getElementById("f-text"), cls = document.getElementById("f-class");
  const group = document.getElementById("f-group"), kind = document.getElementById("f-kind");
  const shown = document.getElementById("f-shown"), none = document.getElementById("f-none");
  bar.hidden = false;
  const words = all.map(d => (d.dataset.name + " " + d.querySelector("summary").textContent + " " +
    Array.from(d.querySelectorAll(".changes")).map(t => t.textContent).join(" ")).toLowerCase());
  function apply() {
    const want = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    all.forEach((d, i) => {
      const ok = want.every(w => words[i].includes(w)) &&
        (!cls.value || d.dataset.classes.split(" ").includes(cls.value)) &&
        (!group.value || d.dataset.group === group.value) &&
        (!kind.value || d.dataset.kind === kind.value);
      d.hidden = !ok;
      if (ok) n++;
      if (cls.value) for (const r of d.querySelectorAll("tr[data-class]")) r.hidden = r.dataset.class !== cls.value;
      else for (const r of d.querySelectorAll("tr[data-class]")) r.hidden = false;
    });
    shown.textContent = n + " of " + all.length;
    none.hidden = n > 0 || all.length === 0;
  }
  for (const e of [text, cls, group, kind]) e.addEventListener("input", apply);
  document.getElementById("f-clear").addEventListener("click", () => { text.value = cls.value = group.value = kind.value = ""; apply(); });
  const visible = () => all.filter(d => !d.hidden);
  function move(step) {
    const list = visible();
    if (!list.length) return;
    const at = list.findIndex(d => d.contains(document.activeElement));
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + step))];
    const s = next.querySelector("summary");
    s.focus();
    s.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (e.key === "Escape" && typing) { document.activeElement.blur(); return; }
    if (typing) return;
    if (e.key === "/") { e.preventDefault(); text.focus(); text.select(); }
    else if (e.key === "j") move(1);
    else if (e.key === "k") move(-1);
    else if (e.key === "e") { const list = visible(), open = !list.every(d => d.open); for (const d of list) d.open = open; }
    else if (e.key === "o") { const d = document.activeElement.closest("details.c"); if (d) d.open = !d.open; }
  });
  apply();
})();
