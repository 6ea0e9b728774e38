// What of the page is for posters: its code comes with the first model that makes them.

export { Phrase } from "./Phrase";
export { Poster } from "./Poster";
