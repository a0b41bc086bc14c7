"use strict";

/* Draws canvases with class "as-chart" with the Chart.js that ships with the admin theme; follows light and dark. */
(() => {
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function options() {
    const text = colour("--as-subtle");
    const line = colour("--as-line");
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: false } },
      scales: {
        x: { stacked: true, border: { display: false }, grid: { display: false }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 12 } },
        y: { stacked: true, beginAtZero: true, border: { display: false }, grid: { color: line }, ticks: { color: text, precision: 0, maxTicksLimit: 5 } },
      },
    };
  }

  for (const canvas of document.querySelectorAll("canvas.as-chart")) {
    charts.push(new Chart(canvas, { type: canvas.dataset.type, data: JSON.parse(canvas.dataset.chart), options: options() }));
  }
  new MutationObserver(() => {
    for (const chart of charts) {
      chart.options = options();
      chart.update();
    }
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
