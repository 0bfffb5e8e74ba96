/** The style of the pages: plain, in the colours that the reader has chosen. */
export const STYLE = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; }
th { border-bottom: 1px solid; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; }
.note { opacity: 0.75; }
.bad { font-weight: bold; }
[hidden] { display: none; }
`;
