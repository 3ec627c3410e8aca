/** An answer with its body read: JSON is parsed, anything else is text. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface RequestOptions {
  /** `null` calls as a guest. */
  key?: string | null;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is text, bytes or a form. */
  body?: unknown;
}

/** The fields of an execution, as they go over the wire. */
export interface ExecutionModel {
  $id: string;
  $createdAt: string;
  $updatedAt: string;
  functionId: string;
  deploymentId: string;
  trigger: string;
  status: 'waiting' | 'processing' | 'completed' | 'failed' | 'scheduled';
  requestMethod: string;
  requestPath: string;
  requestHeaders: { name: string; value: string }[];
  responseStatusCode: number;
  responseBody: string;
  responseHeaders: { name: string; value: string }[];
  logs: string;
  errors: string;
  duration: number;
  scheduledAt: string | null;
}

export interface ExecutionListModel {
  total: number;
  executions: ExecutionModel[];
}

/** One request. Redirects are not followed; every status is an answer. */
export async function request<T = unknown>(
  baseUrl: string,
  method: string,
  path: string,
  { key = null, headers = {}, body }: RequestOptions = {},
): Promise<Answer<T>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
  const response = await fetch(new URL(path, baseUrl), {
    method,
    redirect: 'manual',
    headers: {
      ...(key === null ? {} : { 'x-appwrite-key': key }),
      ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : raw ? (body as RequestInit['body']) : JSON.stringify(body),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') && text !== '';
  return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T };
}
