/** `sha256-…` of a file, as vite.sealed.ts makes it. */
declare module '*?integrity' {
  const integrity: string;
  export default integrity;
}
