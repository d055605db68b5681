/* Progressive enhancement only: every number on the page is already in the HTML. */
(() => {
  // Keeps a page for when there is no network, and nothing personal.
  navigator.serviceWorker?.register("/sw.js").catch(() => { /* it works without */ });

  const make = (tag, textContent = "", className = "") =>
    Object.assign(document.createElement(tag), { textContent, className });
  const live = make("div", "", "vh");
  live.setAttribute("role", "status");
  document.body.append(live);

  // An import or an export: ask every 2 s for half a minute, then every 10 s.
  const box = document.querySelector("[data-progress]");
  if (box) {
    let asked = 0;
    const look = async () => {
      try {
        const now = await (await fetch(box.dataset.progress)).json();
        if (now.is_done) return location.reload();
        for (const [name, value] of Object.entries(now)) {
          const part = box.querySelector(`[data-progress-${name}]`);
          if (part) part.textContent = value;
        }
      } catch { /* the next look may fare better */ }
      setTimeout(look, ++asked < 15 ? 2000 : 10000);
    };
    setTimeout(look, 2000);
  }

  // A read-out is [run at Strava, line, line, line], by the run's number.  Where the
  // page has thousands of dots they come when a chart is first touched.
  const kept = document.getElementById("read-outs");
  let readOuts = kept ? JSON.parse(kept.textContent) : {};
  const bring = async (then) => {
    const from = kept?.dataset.from;
    if (!from) return;
    delete kept.dataset.from;
    const answer = await fetch(from).catch(() => { kept.dataset.from = from; });
    if (!answer?.ok) return;
    readOuts = await answer.json();
    then();
  };

  // Charts: point, tap or use the arrow keys to read single runs.
  for (const plot of document.querySelectorAll("[data-points]")) {
    // A point is [across 0-1000, down 0-500, mood, number of the run].
    const points = JSON.parse(document.getElementById(plot.dataset.points).textContent);
    if (!points.length) continue;
    const said = JSON.parse(plot.dataset.words);
    const area = plot.querySelector(".area"), tip = area.querySelector(".tip");
    const [ring, core] = area.querySelectorAll(".ring, .core");
    let current = -1, pinned = false;

    const hide = () => {
      current = -1; pinned = false; tip.hidden = true;
      for (const path of [ring, core]) path.removeAttribute("d");
    };
    const show = (index, speak) => {
      const [x, y, mood, number] = points[current = index];
      const [run, ...lines] = readOuts[number] ?? [];
      bring(() => { if (current >= 0) show(current, speak); });
      for (const path of [ring, core]) path.setAttribute("d", `M${x} ${y}h0`);
      core.setAttribute("class", `core m${mood}`);
      const title = make("b");
      title.append(make("i", "", `dot m${mood}`), said.moods[mood]);
      tip.replaceChildren(title, ...lines.map((line) => make("span", line)));
      if (pinned && run) {
        const link = make("a", said.link);
        link.href = `${plot.dataset.site}/activities/${run}`;
        tip.append(link);
      }
      tip.hidden = false;
      tip.classList.toggle("pinned", pinned);
      // On a phone it docks above the plot: neither finger nor card hides the dots.
      const { width, height } = area.getBoundingClientRect();
      const left = x / 1000 * width, top = y / 500 * height, high = tip.offsetHeight;
      const docked = matchMedia("(max-width: 47.99rem)").matches, over = top - high - 16;
      tip.style.left = `${Math.max(-8, Math.min(width - tip.offsetWidth + 4, left - tip.offsetWidth / 2))}px`;
      tip.style.top = `${docked ? -high - 8 : over < -40 ? top + 16 : over}px`;
      const place = said.place.replace("{n}", index + 1).replace("{all}", points.length);
      if (speak) live.textContent = [said.moods[mood], lines.join(", "), place].filter(Boolean).join(". ");
    };
    const nearest = (least, distance) => {
      let found = -1;
      points.forEach((point, index) => {
        const away = distance(point);
        if (away < least) { least = away; found = index; }
      });
      return found;
    };
    const near = (event) => {
      const { left, top, width, height } = area.getBoundingClientRect();
      return nearest((event.pointerType === "touch" ? 44 : 30) ** 2, ([x, y]) =>
        (x / 1000 * width + left - event.clientX) ** 2 + (y / 500 * height + top - event.clientY) ** 2);
    };
    const beside = (step) => {
      if (current < 0) return 0;
      const [x, , mood] = points[current];
      const found = nearest(Infinity, (point) => point[2] === mood + step ? Math.abs(point[0] - x) : Infinity);
      return found < 0 ? current : found;
    };

    area.addEventListener("pointermove", (event) => {
      if (pinned || tip.contains(event.target)) return;
      const index = near(event);
      if (index >= 0) show(index); else if (event.pointerType !== "touch") hide();
    });
    area.addEventListener("pointerleave", (event) => {
      if (!pinned && event.pointerType !== "touch") hide();
    });
    document.addEventListener("click", (event) => {
      if (tip.contains(event.target)) return;
      const index = area.contains(event.target) ? near(event) : -1;
      if (index < 0) return hide();
      pinned = true;
      show(index, true);
    });
    plot.addEventListener("keydown", (event) => {
      const last = points.length - 1;
      const to = {
        ArrowRight: () => Math.min(last, current + 1),
        ArrowLeft: () => current < 0 ? last : Math.max(0, current - 1),
        ArrowUp: () => beside(1), ArrowDown: () => beside(-1),
        Home: () => 0, End: () => last,
      }[event.key];
      if (event.key === "Escape") return hide();
      if (event.key === "Enter" && current >= 0 && event.target === plot) {
        pinned = true;
        show(current, true);
        tip.querySelector("a")?.focus();
      } else if (to) {
        event.preventDefault();
        pinned = false;
        show(to(), true);
      }
    });
    plot.addEventListener("focusout", (event) => { if (!plot.contains(event.relatedTarget)) hide(); });
  }
})();
