/** The page at `/`: what it shows its script asks for, with the token of the one who reads. */
export const HOME_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stint</title>
<link rel="stylesheet" href="/app.css">
<script src="/app.js" defer></script>
</head>
<body>
<h1 id="title">Stint</h1>
<p id="state" role="status" aria-live="polite">Loading.</p>
<p id="login" hidden>To log in, open the address that <code>stint up</code> prints. It is good once,
for a minute. The API is described in <a href="/v1/docs">its pages</a>.</p>
<main id="main" hidden>
<p><button id="leave" type="button">Log out</button></p>
<h2>Fleet</h2>
<table aria-label="Fleet"><tbody id="fleet"></tbody></table>
<h2>Roll</h2>
<p id="roll-state" class="note"></p>
<table><thead><tr><th scope="col">Name<th scope="col">Instance<th scope="col">Status
<th scope="col">Last heard<th scope="col">Why</tr></thead><tbody id="roll"></tbody></table>
<h2>Workers</h2>
<p id="workers-state" class="note"></p>
<table><thead><tr><th scope="col">Id<th scope="col">Name<th scope="col">Status
<th scope="col">Depth<th scope="col">Admitted</tr></thead><tbody id="workers"></tbody></table>
</main>
<noscript><p>This page needs its script; <code>stint roll</code> and <code>stint workers</code> do
not.</p></noscript>
</body>
</html>
`;
