import { tryPage } from "../page.ts";

tryPage("README.md");
