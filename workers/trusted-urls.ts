/**
 * The page's one Trusted Types policy. Where the browser enforces it, nothing becomes the address of a script but what was
 * vouched for here: workers whose bytes were checked, and the service worker.
 */

const vouched = new Set<string>();

// As in a window; the types know it of windows alone.
const { trustedTypes } = globalThis as Pick<Window, 'trustedTypes'>;

const policy = trustedTypes?.createPolicy('gauntlet', {
  createScriptURL(url) {
    if (!vouched.has(url)) throw new TypeError(`${url} is no script of this page.`);
    return url;
  },
});

/** From now on a script may have this address. */
export function vouchFor(url: string): void {
  vouched.add(url);
}

/**
 * For `new Worker` and `register`, whose types know nothing of trusted addresses.
 *
 * @throws TypeError where nobody vouched for it
 */
export function trustedScriptUrl(url: string): string {
  return (policy?.createScriptURL(url) ?? url) as string;
}
