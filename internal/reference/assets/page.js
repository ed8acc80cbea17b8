"use strict";

// The page follows the system's theme.
const dark = matchMedia("(prefers-color-scheme: dark)");
const colours = {
  light: {theme: "light", "bg-color": "#ffffff", "text-color": "#1f2430", "primary-color": "#2558c4", "nav-bg-color": "#f6f7f9", "nav-text-color": "#3b4252"},
  dark: {theme: "dark", "bg-color": "#16181d", "text-color": "#d9dde5", "primary-color": "#7aa5ff", "nav-bg-color": "#1d2026", "nav-text-color": "#b8c0cf"},
};

function paint() {
  const page = document.querySelector("rapi-doc");
  for (const [name, value] of Object.entries(dark.matches ? colours.dark : colours.light)) {
    page.setAttribute(name, value);
  }
}

paint();
dark.addEventListener("change", paint);
