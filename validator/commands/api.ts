/** `gauntlet api`: answers requests of a run that another process drives, until Ctrl-C. */
import { createLog } from '../adapters/log.ts';
import { placesOf } from '../adapters/places.ts';
import { createApiServer } from '../serve.ts';
import { builtApp, logLevel, untilStopped } from './process.ts';
import { servingOptions, type ServingOptions } from './serving.ts';
import { CHAIN_NODES } from './start.ts';

export interface ApiCommandOptions extends ServingOptions {
  readonly data: string;
  readonly port: number;
  readonly host: string;
}

export async function apiCommand({ data, port, host, ...serving }: ApiCommandOptions): Promise<void> {
  const server = await createApiServer({
    dataDir: data,
    places: placesOf(process.env),
    port,
    host,
    ...builtApp(),
    connectSources: CHAIN_NODES,
    ...servingOptions(serving),
    log: createLog(logLevel()),
  });
  const stopped = untilStopped();
  console.log(`Run ${server.run.run}: ${server.run.manifest.name}; answering at ${server.url}`);
  await stopped;
  console.log('Stopping …');
  await server.close();
}
