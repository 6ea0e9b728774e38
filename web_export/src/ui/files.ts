/** Offers a file to save, under this name. */
export function offer(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function canvasOf(image: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png");
  });
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;
}

// ---- video -------------------------------------------------------------------------------------

const VIDEOS = [
  { name: "WebM", ending: "webm", type: "video/webm;codecs=vp9" },
  { name: "WebM", ending: "webm", type: "video/webm" },
  { name: "MP4", ending: "mp4", type: "video/mp4" },
];
const TURNS = 3; // a video ends, so it shows the film more than once

/** The video that this browser records, if any. */
export function videoType() {
  if (typeof MediaRecorder === "undefined") return undefined;
  return VIDEOS.find(({ type }) => MediaRecorder.isTypeSupported(type));
}

/** Plays pictures into a video, which takes as long as it lasts. */
export async function record(images: ImageData[], milliseconds: number, type: string): Promise<Blob> {
  const canvas = canvasOf(images[0]);
  const context = canvas.getContext("2d");
  const parts: Blob[] = [];
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: type, videoBitsPerSecond: 4e6 });
  const ended = new Promise<void>((resolve, reject) => {
    recorder.onstop = () => resolve();
    recorder.onerror = () => reject(new Error("the video could not be recorded"));
  });
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  for (let i = 0; i <= TURNS * images.length; i++) {
    context?.putImageData(images[i % images.length], 0, 0);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  recorder.stop();
  await ended;
  return new Blob(parts, { type });
}
