"use strict";
// Draws each chart over its drawing when the reader comes near it, in the reader's colours.
(() => {
  const figures = JSON.parse(document.getElementById("charts").textContent);

  let unpacked;
  const unpack = async () => {
    const packed = document.getElementById("plotly").textContent;
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };

  // "@c0" is the page's colour --c0, "@c0/0.25" the same with that opacity.
  const colour = (name, style) => {
    const [key, opacity] = name.slice(1).split("/");
    const value = style.getPropertyValue("--" + key).trim();
    return opacity ? value + Math.round(255 * opacity).toString(16).padStart(2, "0") : value;
  };
  const coloured = (value, style) => {
    if (typeof value === "string") return value.startsWith("@") ? colour(value, style) : value;
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, coloured(one, style)]),
    );
  };

  const touch = matchMedia("(pointer: coarse)");
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: touch.matches ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg" },
  };
  const draw = async (name) => {
    await (unpacked ??= unpack());
    const frame = document.getElementById("chart-" + name);
    const live = frame.querySelector(".live");
    const style = getComputedStyle(document.documentElement);
    const { data, layout } = coloured(figures[name], style);
    // A finger scrolls the page; a mouse zooms.
    layout.dragmode = touch.matches ? false : "zoom";
    layout.font.family = getComputedStyle(document.body).fontFamily;
    live.style.height = layout.height + "px";
    frame.classList.add("drawn");
    try {
      await Plotly.react(live, data, layout, config);
    } catch (error) {
      frame.classList.remove("drawn");
      throw error;
    }
  };

  if (!("DecompressionStream" in window && "IntersectionObserver" in window)) return;
  const met = new Set();
  let queue = Promise.resolve();
  const later = (name) => {
    queue = queue.then(() => draw(name)).catch((error) => console.error(error));
  };
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        watch.unobserve(target);
        met.add(target.dataset.chart);
        later(target.dataset.chart);
      }
    },
    { rootMargin: "500px" },
  );
  for (const frame of document.querySelectorAll("[data-chart]")) watch.observe(frame);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => met.forEach(later));
})();
