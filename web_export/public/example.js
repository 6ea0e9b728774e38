import { Generator } from "./tfanime.js";

const generator = await Generator.load(".", { backend: "auto" });
const canvas = document.querySelector("canvas");
async function draw() {
  const picture = await generator.generate({ seed: Math.floor(Math.random() * 1e6) });
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext("2d").putImageData(picture.imageData, 0, 0);
  document.querySelector("output").textContent = `${picture.backend}, ${picture.ms.toFixed()} ms`;
}
document.querySelector("button").addEventListener("click", draw);
await draw();
