// A canvas as PNG, with its dots per inch where it is a print.

const INCH = 0.0254; // metres

export async function pngOf(canvas: OffscreenCanvas, dpi: number | null): Promise<Blob> {
  const blob = await canvas.convertToBlob({ type: "image/png" });
  if (dpi === null) return blob;
  // Signature and IHDR are 33 bytes; what says how large a pixel is follows them.
  const dots = Math.round(dpi / INCH);
  return new Blob([blob.slice(0, 33), chunk("pHYs", [...whole(dots), ...whole(dots), 1]), blob.slice(33)], {
    type: "image/png",
  });
}

const whole = (value: number) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255);

function chunk(name: string, data: number[]): Uint8Array<ArrayBuffer> {
  const body = [...Array.from(name, (letter) => letter.charCodeAt(0)), ...data];
  return Uint8Array.from([...whole(data.length), ...body, ...whole(checksum(body))]);
}

function checksum(bytes: number[]): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
