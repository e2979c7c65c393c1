/** For `--import`: makes a process another version of the program, as `TEST_VERSION` says; see hooks.mjs. */
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
