// Whether a download costs the visitor something.

export const LARGE_DOWNLOAD = 1_000_000;

type Connection = { saveData?: boolean; type?: string };

export function metered(): boolean {
  const { connection } = navigator as { connection?: Connection };
  return connection?.saveData === true || connection?.type === "cellular";
}
