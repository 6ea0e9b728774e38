import { useEffect, useState } from "react";
import { reason } from "../state";
import type { Studio } from "../studio";

type Parts = typeof import("./posters");

let parts: Parts | null = null;

/** The parts of the page that only models of posters need, once they have come. */
export function usePosters(studio: Studio, wanted = true): Parts | null {
  const [there, setThere] = useState(parts);
  useEffect(() => {
    if (!wanted || parts) return setThere(parts);
    import("./posters").then(
      (found) => setThere((parts = found)),
      (error) => studio.tell("drawFailed", { reason: reason(error) }, true),
    );
  }, [studio, wanted]);
  return there;
}
