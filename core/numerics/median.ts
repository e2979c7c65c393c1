/** The middle value of each column, the lower one of two. @param rows equally long @returns empty without rows */
export function lowerMedians(rows: readonly (readonly number[])[]): number[] {
  const middle = (rows.length - 1) >> 1;
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]!).sort((a, b) => a - b)[middle]!);
}
