// What `./tfanime.js` offers to other sites: `Generator`, and the element <tfanime-face>.

import { defineFace } from "./element";

export { Generator } from "./generator";

defineFace();
