import { useRef, useState } from "preact/hooks";
import { noProblem, problemOf, type Problem } from "./words.js";

/** One attempt at a time at something that can fail, for a form with these fields. */
export function useAttempt(fields: readonly string[] = []) {
  const [problem, setProblem] = useState<Problem>(noProblem);
  const [busy, setBusy] = useState(false);
  const going = useRef(false);
  const attempt = async (act: () => Promise<void>) => {
    if (going.current) return; // a button that were disabled instead would lose the keyboard's place
    setBusy((going.current = true));
    try {
      await act();
      setProblem(noProblem());
    } catch (error) {
      setProblem(problemOf(error, fields));
    } finally {
      setBusy((going.current = false));
    }
  };
  return { problem, busy, attempt };
}
