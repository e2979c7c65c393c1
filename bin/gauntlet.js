#!/usr/bin/env node
// The sources are TypeScript and run as they are: one build less to be out of date.
import { register } from 'tsx/esm/api';

register();
await import('../validator/cli.ts');
