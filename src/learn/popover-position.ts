/** Where a popover goes: under its word, above it where there is no room below, and never beyond the page's edge. */

interface Box {
  readonly left: number;
  readonly top: number;
  readonly bottom: number;
}

const MARGIN_PX = 8;
const GAP_PX = 4;

/** @param viewport its client size, in CSS pixels @returns for `position: fixed` */
export function besideAnchor(
  anchor: Box,
  popover: { readonly width: number; readonly height: number },
  viewport: { readonly clientWidth: number; readonly clientHeight: number },
): { readonly left: number; readonly top: number } {
  const rightmost = viewport.clientWidth - popover.width - MARGIN_PX;
  const left = Math.max(MARGIN_PX, Math.min(anchor.left, rightmost));
  const below = anchor.bottom + GAP_PX;
  const fits = below + popover.height <= viewport.clientHeight - MARGIN_PX;
  const above = anchor.top - GAP_PX - popover.height;
  return { left, top: fits || above < MARGIN_PX ? below : above };
}
