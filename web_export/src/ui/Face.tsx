import { useLayoutEffect, useRef } from "react";

/** A picture on a canvas, named for screen readers. */
export function Face({ image, label }: { image: ImageData; label?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // Before the page is painted, so that no frame shows the picture before.
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(image, 0, 0);
  }, [image]);
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return <canvas ref={canvas} className="face" width={image.width} height={image.height} {...named} />;
}
