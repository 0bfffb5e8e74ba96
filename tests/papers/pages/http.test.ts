import { tryPage } from "../page.ts";

// [PP1] The blocks of this page.
tryPage("docs/http.md");
