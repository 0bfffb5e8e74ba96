import { PROBLEMS } from "../../protocol/problem.ts";
import type { OpenApiDocument, OpenApiOperation } from "../route/description.ts";

/** The API's description as a page: of the same document that programs read, and nothing else. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const groups = Object.entries(
    Object.groupBy(operations, ({ operation }) => operation.tags[0] ?? ""),
  );
  const sections = groups.map(
    ([tag, listed = []]) =>
      `<h2 id="${escape(tag)}">${escape(tag)}</h2>${listed
        .map(({ method, path, operation }) => describe(method, path, operation))
        .join("")}`,
  );
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<h3 id="schema-${escape(name)}">${escape(name)}</h3><pre>${pretty(schema)}</pre>`,
  );
  const codes = Object.entries(PROBLEMS).map(
    ([code, { http, meaning }]) =>
      `<tr id="${escape(code)}"><td><code>${escape(code)}</code>` +
      `<td>${http}<td>${escape(meaning)}</tr>`,
  );
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} API</title><link rel="stylesheet" href="/app.css"></head><body>
<h1>${escape(title)} ${escape(version)}: the API</h1>
<p>${escape(description)}</p>
<p>For programs: <a href="/v1/openapi.json">OpenAPI 3.1</a>.</p>
${sections.join("\n")}
<h2 id="codes">codes</h2>
<table><thead><tr><th scope="col">Code<th scope="col">HTTP<th scope="col">Meaning</tr></thead>
<tbody>${codes.join("\n")}</tbody></table>
<h2 id="schemas">schemas</h2>
${schemas.join("\n")}
</body></html>
`;
}

function describe(method: string, path: string, operation: OpenApiOperation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const title = `${method.toUpperCase()} ${path}`;
  const asked = parameters.map(({ name, in: where, required = false, schema }) => {
    const more = [where, schema.type, required ? "required" : "", schema.description];
    const told = more.filter((word) => word !== undefined && word !== "").join(", ");
    return `<li><code>${escape(name)}</code> (${escape(told)})</li>`;
  });
  const body = requestBody?.content["application/json"]?.schema;
  const [type, answer] = Object.entries(responses["200"]?.content ?? {})[0] ?? ["", undefined];
  const told = answer === undefined ? "" : `: ${linkTo(answer.schema)}`;
  const more = description === undefined ? "" : ` ${escape(description)}`;
  return `<h3><code>${escape(title)}</code></h3>
<p>${escape(summary)}.${more}</p>
<p class="note">For: ${escape(rolesOf(operation))}.</p>
${asked.length === 0 ? "" : `<ul>${asked.join("")}</ul>`}
${body === undefined ? "" : `<p>Body:</p><pre>${pretty(body)}</pre>`}
<p>Answers <code>${escape(type)}</code>${told}</p>
`;
}

function rolesOf({ security }: OpenApiOperation): string {
  const roles = security.flatMap((one) => Object.values(one).flat());
  return roles.length === 0 ? "anybody" : roles.join(", ");
}

function linkTo(schema: object): string {
  const reference = "$ref" in schema ? String(schema.$ref) : "";
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  if (name === "") return `<code>${pretty(schema)}</code>`;
  return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
}

function pretty(schema: object): string {
  return escape(JSON.stringify(schema, null, 2));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
