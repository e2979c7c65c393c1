/** The run and the model that it trains. */
import { RunPanel } from './run-panel.tsx';

export default function RunScreen() {
  return <RunPanel />;
}
