/** The runtimes start their own threads from these addresses, and a thread has another base. */
export function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href;
}
