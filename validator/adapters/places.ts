/** Where a run keeps its record and its blobs: by default in its folder, otherwise where the environment says. */
import * as z from 'zod';
import type { BucketAddress } from './s3/bucket.ts';

/** A setting that cannot be understood. */
export class PlacesError extends Error {
  override readonly name = 'PlacesError';
}

export interface Places {
  /** postgres://user:password@host/database */
  readonly database?: string;
  readonly bucket?: BucketAddress;
  /** The validator's signing key; by default in the run's folder. */
  readonly keyFile?: string;
}

const HttpUrl = z.url({ protocol: /^https?$/ });
const Environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, hostname: /^/ }).optional(),
  BLOBS_URL: HttpUrl.optional(),
  BLOBS_PUBLIC_URL: HttpUrl.optional(),
  AWS_REGION: z.string().min(1).default('us-east-1'),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  GAUNTLET_VALIDATOR_KEY_FILE: z.string().min(1).optional(),
});

/** @throws PlacesError that names the variable, and never its value: it may hold a password */
export function placesOf(environment: Readonly<Record<string, string | undefined>>): Places {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))];
    throw new PlacesError(`${names.join(', ')}: not an address of the expected form (docs/operator.md has examples)`);
  }
  const { DATABASE_URL, BLOBS_URL, BLOBS_PUBLIC_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } =
    parsed.data;
  const { GAUNTLET_VALIDATOR_KEY_FILE } = parsed.data;
  if (BLOBS_URL !== undefined && (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined)) {
    throw new PlacesError('BLOBS_URL wants the store’s keys, too: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  return {
    ...(DATABASE_URL === undefined ? {} : { database: DATABASE_URL }),
    ...(BLOBS_URL === undefined
      ? {}
      : {
          bucket: {
            url: BLOBS_URL,
            region: AWS_REGION,
            accessKeyId: AWS_ACCESS_KEY_ID!,
            secretAccessKey: AWS_SECRET_ACCESS_KEY!,
            ...(BLOBS_PUBLIC_URL === undefined ? {} : { publicUrl: BLOBS_PUBLIC_URL }),
          },
        }),
    ...(GAUNTLET_VALIDATOR_KEY_FILE === undefined ? {} : { keyFile: GAUNTLET_VALIDATOR_KEY_FILE }),
  };
}
