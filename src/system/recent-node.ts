// Imported first by what the doors lead to, for what it does and not for what it has: on an older
// Node `import "stint"` ends here, with a sentence, before anything runs that such a Node lacks.

import { demandNode } from "./node-version.ts";

demandNode(process.versions.node);
