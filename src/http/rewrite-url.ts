/** First segments of the API's paths; they answer without `/v1` too, because clients are configured with either. */
const API_PATH = /^\/(?:functions|executions|health)(?=[/?]|$)/;

const DIRECT_CALL = /^\/f\/[^/?]*/;

/**
 * The URL that is routed: API paths get their `/v1`; of a direct call only `/f/{functionId}` is left, because the rest
 * is the function's own and need not even be decodable.
 */
export function rewriteUrl(url: string): string {
  if (API_PATH.test(url)) return `/v1${url}`;
  return DIRECT_CALL.exec(url)?.[0] ?? url;
}

/** Path and query string of a direct call as the function sees them: raw, and at least `/`. */
export function directCallPath(url: string): string {
  const rest = url.replace(DIRECT_CALL, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}
