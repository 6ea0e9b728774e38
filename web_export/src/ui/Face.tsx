import { useEffect, useRef } from "react";

/** A picture on a canvas, named for screen readers. */
export function Face({ image, label }: { image: ImageData; label?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(image, 0, 0);
  }, [image]);
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return <canvas ref={canvas} className="face" width={image.width} height={image.height} {...named} />;
}
