/** What is on the disk is not what the record says: going on would publish something false. */
export class CorruptRunError extends Error {
  override readonly name = 'CorruptRunError';
}
