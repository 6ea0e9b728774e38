// A finger or mouse that drags over an element.

import { type PointerEvent, useRef } from "react";

const STILL = 6; // px: less is a press

interface Drag {
  /** A drag begins. */
  start: () => void;
  /** How far it has come, in widths and heights of the element. */
  move: (dx: number, dy: number) => void;
}

/** What the element needs. Its style says which way the page may still be scrolled (touch-action). */
export function useDrag({ start, move }: Drag) {
  const from = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const end = () => {
    from.current = null;
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button) return;
      from.current = { x: event.clientX, y: event.clientY, moved: false };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const begun = from.current;
      if (!begun) return;
      const [dx, dy] = [event.clientX - begun.x, event.clientY - begun.y];
      if (!begun.moved) {
        if (Math.hypot(dx, dy) < STILL) return;
        begun.moved = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        start();
      }
      const { width, height } = event.currentTarget.getBoundingClientRect();
      move(dx / width, dy / height);
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
