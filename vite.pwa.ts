/**
 * The installable shell: a service worker keeps the page's own files, so that it opens without a network and says what
 * is missing. What the validator serves is never in it: checkpoints are kept in IndexedDB, once.
 */
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** Larger files are runtimes and chain code, which are of no use offline. */
const LARGEST_SHELL_FILE = 300_000;

export const installable = (): Plugin[] =>
  VitePWA({
    // A tab that trains is never reloaded behind a person's back.
    registerType: 'prompt',
    injectRegister: null,
    manifestFilename: 'manifest.webmanifest',
    manifest: {
      name: 'Gauntlet in a browser tab',
      short_name: 'Gauntlet',
      description: 'Train a language model together with strangers, in a browser tab.',
      start_url: '.',
      display: 'standalone',
      background_color: '#f5f4ef',
      theme_color: '#0a6656',
      icons: [
        { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
        { src: 'icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
        { src: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
        { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
      ],
    },
    workbox: {
      globPatterns: ['index.html', 'assets/*.{js,css}', '*.{svg,png}'],
      // What is larger is left out below, without the warning that ends a build.
      maximumFileSizeToCacheInBytes: Number.MAX_SAFE_INTEGER,
      manifestTransforms: [
        (entries) => ({ manifest: entries.filter(({ size }) => size <= LARGEST_SHELL_FILE), warnings: [] }),
      ],
      navigateFallback: 'index.html',
      // What the validator itself answers, and the widget for other sites.
      navigateFallbackDenylist: [
        /\/v1\//,
        /\/(?:docs|openapi\.json|metrics|healthz|readyz|third-party-licences\.txt)$/,
        /embed\.html/,
      ],
      cleanupOutdatedCaches: true,
      // Imported from a second file, it would be one that nothing checks.
      inlineWorkboxRuntime: true,
      // Vite names these by their content.
      dontCacheBustURLsMatching: /\/assets\//,
      sourcemap: false,
    },
  });
