// The animations that can be saved; apart from animation.ts, which brings the encoders along.

export const FORMATS = ["gif", "webp", "png"] as const;
export type Format = (typeof FORMATS)[number];
