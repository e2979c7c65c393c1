/** A page that a person can read, made of the OpenAPI document: no script, nothing from elsewhere. */

interface OpenApiLike {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string | undefined };
  readonly paths?: Record<string, object> | undefined;
  readonly components?: { readonly schemas?: Record<string, unknown> | undefined } | undefined;
}

interface OperationLike {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content?: Record<string, { readonly schema?: unknown }> };
  readonly responses?: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { readonly schema?: unknown }> }
  >;
}

const METHODS = ['get', 'post', 'put'] as const;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** A schema in a word: a link to a named one, or its JSON. */
function schemaHtml(schema: unknown): string {
  if (schema === undefined) return 'bytes';
  const { $ref } = schema as { $ref?: string };
  if ($ref === undefined) return `<code>${escape(JSON.stringify(schema))}</code>`;
  const name = escape($ref.split('/').at(-1)!);
  return `<a href="#schema-${name}">${name}</a>`;
}

const contentHtml = (content: Record<string, { readonly schema?: unknown }> | undefined): string =>
  Object.entries(content ?? {})
    .map(([type, { schema }]) => `${escape(type)}: ${schemaHtml(schema)}`)
    .join('; ');

function operationHtml(path: string, method: string, operation: OperationLike): string {
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      `<li><code>${escape(parameter.name)}</code> in ${escape(parameter.in)}${parameter.required ? '' : ', optional'}</li>`,
  );
  const responses = Object.entries(operation.responses ?? {}).map(
    ([status, response]) =>
      `<tr><th scope="row">${escape(status)}</th><td>${escape(response.description ?? '')}</td><td>${contentHtml(response.content)}</td></tr>`,
  );
  return [
    `<section><h2><code>${method.toUpperCase()} ${escape(path)}</code></h2>`,
    `<p>${escape(operation.summary ?? '')}</p>`,
    parameters.length > 0 ? `<ul>${parameters.join('')}</ul>` : '',
    operation.requestBody ? `<p>Body: ${contentHtml(operation.requestBody.content)}</p>` : '',
    `<table><thead><tr><th scope="col">Status</th><th scope="col">Meaning</th><th scope="col">Body</th></tr></thead>`,
    `<tbody>${responses.join('')}</tbody></table></section>`,
  ].join('\n');
}

/** @param document what /openapi.json serves */
export function docsHtml(document: OpenApiLike): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) =>
      operationHtml(path, method, (methods as Record<string, OperationLike>)[method]!),
    ),
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<section id="schema-${escape(name)}"><h3>${escape(name)}</h3><pre>${escape(JSON.stringify(schema, null, 2))}</pre></section>`,
  );
  const { title, version, description = '' } = document.info;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<main>
<h1>${escape(title)} ${escape(version)}</h1>
<p>${escape(description)} <a href="/openapi.json">OpenAPI document</a></p>
${operations.join('\n')}
<h2>Schemas</h2>
${schemas.join('\n')}
</main>
</body>
</html>
`;
}

export const DOCS_CSS = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h2 code { font-size: 1.05rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; }
`;
