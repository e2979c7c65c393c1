// A thread has loaders of its own: the sources are TypeScript here too.
import { register } from 'tsx/esm/api';

register();
await import('./judge-thread.ts');
