import { useEffect, useLayoutEffect, useRef, useState } from "react";

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

/** A picture of many: it has its canvas only while it is near the part that is seen. */
export function Tile({ image }: { image: ImageData }) {
  const place = useRef<HTMLSpanElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const watch = new IntersectionObserver((seen) => setNear(seen[seen.length - 1].isIntersecting), {
      rootMargin: "300px",
    });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return (
    <span ref={place} className="face">
      {near && <Face image={image} />}
    </span>
  );
}
