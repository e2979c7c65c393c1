/**
 * Turns off zod's code generation, which the content security policy forbids and whose attempt it would report. Must
 * be the first import of an entry file: schemas decide when they are made.
 */
import { config } from 'zod';

config({ jitless: true });
