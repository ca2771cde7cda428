// Live updates: when the service says that something changed, the page is fetched again and its
// <main> is put in the place of the old one. Everything works without this file.
"use strict";

(() => {
  if (!("EventSource" in window)) return;

  let due = false;
  let busy = false;

  /** How an element is found again in the next version of the page. */
  const nameOf = (element) => {
    if (!element || element === document.body) return "";
    if (element.id) return `#${CSS.escape(element.id)}`;
    const steps = [];
    for (let at = element; at && at.id !== "main"; at = at.parentElement) {
      if (!at.parentElement) return "";
      steps.unshift(`${at.localName}:nth-child(${[...at.parentElement.children].indexOf(at) + 1})`);
    }
    return `#main > ${steps.join(" > ")}`;
  };

  /** Somebody is in the middle of something that an update would take away. */
  const atWork = () => {
    const fields = document.querySelectorAll("main input:not([type=hidden]), main textarea, main select");
    return [...fields].some((one) =>
      one.type === "checkbox" || one.type === "radio"
        ? one.checked !== one.defaultChecked
        : one.localName === "select"
          ? [...one.options].some((option) => option.selected !== option.defaultSelected)
          : one.value !== one.defaultValue,
    );
  };

  const swap = (next) => {
    const old = document.getElementById("main");
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const [name, text] = [nameOf(focused), focused && focused.textContent];
    const open = [...old.querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id);
    const [x, y] = [window.scrollX, window.scrollY];
    old.replaceChildren(...next.childNodes);
    for (const id of open) {
      const one = document.getElementById(id);
      if (one) one.open = true;
    }
    if (name) {
      // Where rows have moved, the focus goes with its row.
      const same = [...old.querySelectorAll("a, button")].filter((one) => one.textContent === text);
      const there = old.querySelector(name);
      const target = there && there.textContent === text ? there : same[0] || there;
      if (target) target.focus({ preventScroll: true });
    }
    window.scrollTo(x, y);
  };

  const follow = async () => {
    if (busy || document.hidden || atWork()) {
      due = true;
      return;
    }
    busy = true;
    due = false;
    try {
      const address = new URL(location.href);
      for (const said of ["done", "n"]) address.searchParams.delete(said);
      const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = page.getElementById("main");
        if (next && !atWork()) {
          swap(next);
          for (const part of [".pages", ".who"]) {
            const [was, is] = [document.querySelector(part), page.querySelector(part)];
            if (was && is && !was.contains(document.activeElement)) was.replaceWith(is);
          }
        }
      }
    } catch {
      due = true; // The service is away; the next line says when it is back.
    } finally {
      busy = false;
    }
  };

  const lines = new EventSource("/events");
  lines.addEventListener("message", follow);
  document.addEventListener("visibilitychange", () => {
    if (due && !document.hidden) follow();
  });
  document.addEventListener("focusout", () => {
    if (due) follow();
  });
  window.addEventListener("pagehide", () => lines.close());
})();
