/** Draws a laid out card. The same marks give the same pixels wherever the fonts are the same. */
import { CARD_HEIGHT, CARD_WIDTH, type Ink, type Mark } from './card-layout.ts';

/** The dark theme's tokens: the card is a picture of its own, whatever the page looks like. */
const INKS: Readonly<Record<Ink, string>> = {
  paper: '#111413',
  ink: '#e8ebe8',
  soft: '#a6aea9',
  line: '#2a302d',
  accent: '#6ad1b5',
  faint: '#2f5a4e',
  own: '#eb9f6c',
};

const FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif";

/** @param context of a canvas of 1200 x 630 */
export function drawCard(context: CanvasRenderingContext2D, marks: readonly Mark[]): void {
  context.clearRect(0, 0, CARD_WIDTH, CARD_HEIGHT);
  context.lineJoin = 'round';
  context.lineCap = 'round';
  for (const mark of marks) draw(context, mark);
}

function draw(context: CanvasRenderingContext2D, mark: Mark): void {
  context.fillStyle = context.strokeStyle = INKS[mark.ink];
  switch (mark.kind) {
    case 'text':
      context.font = `${mark.weight} ${mark.size}px ${FONT}`;
      context.textAlign = mark.align;
      context.fillText(mark.text, mark.x, mark.y, mark.maxWidth);
      return;
    case 'box':
      context.beginPath();
      context.roundRect(mark.x, mark.y, mark.width, mark.height, mark.radius);
      context.fill();
      return;
    case 'line':
      context.lineWidth = mark.width;
      context.beginPath();
      mark.points.forEach(({ x, y }, i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.stroke();
      return;
    case 'dot':
      context.beginPath();
      context.arc(mark.at.x, mark.at.y, mark.radius, 0, 2 * Math.PI);
      context.fill();
      return;
    default:
      mark satisfies never;
  }
}
