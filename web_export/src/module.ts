// What `./tfanime.js` offers to other sites.

export { Generator } from "./generator";
