"use strict";

// The page follows the system's theme, and folds up where there is no room for a menu.
const dark = matchMedia("(prefers-color-scheme: dark)");
const colours = {
  light: {theme: "light", "bg-color": "#ffffff", "text-color": "#1f2430", "primary-color": "#2558c4", "nav-bg-color": "#f6f7f9", "nav-text-color": "#3b4252"},
  dark: {theme: "dark", "bg-color": "#16181d", "text-color": "#d9dde5", "primary-color": "#7aa5ff", "nav-bg-color": "#1d2026", "nav-text-color": "#b8c0cf"},
};

const narrow = matchMedia("(max-width: 767px)");

function paint() {
  const page = document.querySelector("rapi-doc");
  page.setAttribute("render-style", narrow.matches ? "view" : "focused");
  for (const [name, value] of Object.entries(dark.matches ? colours.dark : colours.light)) {
    page.setAttribute(name, value);
  }
}

paint();
dark.addEventListener("change", paint);
narrow.addEventListener("change", paint);
