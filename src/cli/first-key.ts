/** The example that comes with the server. */
const EXAMPLE = 'hello';
const LOOKUP_MS = 5_000;

/**
 * What the first start prints: the key that was made, and a line for a shell that shows it working.
 * @param address where this server is reached from this machine
 * @param publicUrl where clients reach it, if that is somewhere else
 */
export async function firstKeyMessage(
  address: string,
  key: string,
  publicUrl: string | undefined,
): Promise<string> {
  const functionId = await someFunction(address, key);
  const url = `${publicUrl ?? address}/v1/functions`;
  const header = `-H ${quote(`X-Appwrite-Key: ${key}`)}`;
  const [what, curl] =
    functionId === null
      ? ['List the functions', `curl -s ${quote(url)} ${header}`]
      : [
          `Run the function ${functionId}`,
          `curl -s -X POST ${quote(`${url}/${functionId}/executions`)} ${header} -H 'Content-Type: application/json' -d '{"method":"POST","body":"Hello!"}'`,
        ];
  return `\nThis server's API key, shown only this once:\n\n  ${key}\n\n${what} with it:\n\n  ${curl}\n\n`;
}

/** The example, else the first function there is; null if there is none. */
async function someFunction(address: string, key: string): Promise<string | null> {
  try {
    const answer = await fetch(`${address}/v1/functions`, {
      headers: { 'x-appwrite-key': key },
      signal: AbortSignal.timeout(LOOKUP_MS),
    });
    const { functions } = (await answer.json()) as { functions: { $id: string }[] };
    return (functions.find(({ $id }) => $id === EXAMPLE) ?? functions[0])?.$id ?? null;
  } catch {
    // The line is only an example; the server runs.
    return null;
  }
}

/** For a POSIX shell. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
