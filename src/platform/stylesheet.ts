/**
 * Without its stylesheet the app is of no use, and where the browser refused it as not the one that the page was built
 * with, something is wrong with this site. The document's own text says so and stays.
 *
 * @throws Error
 */
export function requireStylesheet(): void {
  const links = document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]');
  if ([...links].some(({ sheet }) => sheet === null)) throw new Error('The stylesheet was not loaded, or was refused.');
}
