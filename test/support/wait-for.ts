/**
 * Waits until the condition holds (returns or resolves to something truthy) and returns what it gave.
 * Throws after `deadlineMs` with `what` in the message, and with the condition's last error, if it threw.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const end = performance.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
