import { useLayoutEffect, useRef } from "preact/hooks";

/** For what is to have the keyboard as soon as it is there. */
export function focus(element: HTMLElement | null): void {
  element?.focus();
}

/** From a form that closes to the button that has opened it, where that is there; who is elsewhere by now stays there. */
export function focusOpener(place: HTMLElement): void {
  const { activeElement } = document;
  if (activeElement?.closest("form") && place.contains(activeElement)) focus(place.querySelector("[aria-expanded=true]"));
}

/** Keeps the keyboard's place: what was pressed may be gone with what it did. Its own place is then as near as can be. */
export function useFocusKept(place: { readonly current: HTMLElement | null }): void {
  const inside = useRef(false);
  inside.current = place.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    if (inside.current && document.activeElement === document.body) place.current?.focus();
  });
}
