/** What happens here, for somebody who has never heard of it. */
import { HowItWorks } from '../how-it-works.tsx';

export default function LearnScreen() {
  return <HowItWorks />;
}
