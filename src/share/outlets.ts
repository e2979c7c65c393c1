/** Ways out of the page for an image and a text. Each rejects where the browser has no such way or refuses it. */

export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The image could not be written.'))), 'image/png');
  });
}

export async function copyImage(canvas: HTMLCanvasElement): Promise<void> {
  // A promise inside, not before: some browsers allow the clipboard only within the click itself.
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': pngOf(canvas) })]);
}

export async function copyText(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

/** Whether the system has a dialog that takes images. */
export function canShareFiles(): boolean {
  const probe = { files: [new File([], 'card.png', { type: 'image/png' })] };
  return 'canShare' in navigator && navigator.canShare(probe);
}

export async function shareImage(canvas: HTMLCanvasElement, name: string, text: string): Promise<void> {
  await navigator.share({ text, files: [new File([await pngOf(canvas)], name, { type: 'image/png' })] });
}
