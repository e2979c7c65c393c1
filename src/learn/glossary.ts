/**
 * Every word that the screens use and a newcomer cannot know, in one table. Loaded when a definition is first shown.
 * Sources of what they say: arXiv 2505.21684 and docs/gauntlet.md.
 */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';

export interface Entry {
  readonly topic: Topic;
  readonly term: MessageDescriptor;
  /** One or two sentences: all that the popover shows. */
  readonly short: MessageDescriptor;
  /** What else is worth knowing. */
  readonly more?: MessageDescriptor;
}

export type Topic = 'run' | 'contribution' | 'checks' | 'scores' | 'identity' | 'chain';

/** In the order in which they are listed. */
export const TOPICS: Readonly<Record<Topic, MessageDescriptor>> = {
  run: msg`The run`,
  contribution: msg`What a tab sends`,
  checks: msg`What is checked`,
  scores: msg`Scores`,
  identity: msg`Keys and names`,
  chain: msg`Where there is a chain`,
};

/** By the word that addresses them: `#/learn/ordinal`. */
export const GLOSSARY = {
  run: {
    topic: 'run',
    term: msg`Run`,
    short: msg`One training of one model, from its first parameters on. Its rules are in a manifest that the validator has signed and nobody can change later.`,
  },
  validator: {
    topic: 'run',
    term: msg`Validator`,
    short: msg`The server that keeps the time, takes the contributions, scores them and publishes the next model. What it decides can be recomputed by anybody.`,
  },
  peer: {
    topic: 'run',
    term: msg`Peer`,
    short: msg`Somebody who contributes to a run: a browser tab like this one, known by its key alone.`,
  },
  window: {
    topic: 'run',
    term: msg`Window`,
    short: msg`One round of the run. All peers start from the same model, and at its end there is a new one.`,
    more: msg`A window has four phases: train, put, judge and publish. The next one opens when this one is published.`,
  },
  phase: {
    topic: 'run',
    term: msg`Phase`,
    short: msg`Where a window is: train (peers compute), put (uploads are open), judge (the validator measures) or publish (the new model is out).`,
    more: msg`The validator’s clock decides, or the blocks of a chain where there is one.`,
  },
  page: {
    topic: 'run',
    term: msg`Page`,
    short: msg`A piece of the training text. Which pages a peer trains on is drawn anew each window from the run’s seed and its key, so nobody can choose.`,
  },
  token: {
    topic: 'run',
    term: msg`Token`,
    short: msg`The piece of text a model reads and predicts: a word or part of one, as a number.`,
  },
  loss: {
    topic: 'run',
    term: msg`Loss`,
    short: msg`How badly the model predicts the next token of a text; lower is better. It is measured in nats a token: a model that knows nothing is at the logarithm of its vocabulary’s size.`,
    more: msg`The run’s loss is measured on held-out pages, which nobody is ever assigned: learning them by heart is impossible.`,
  },
  parameters: {
    topic: 'run',
    term: msg`Parameters`,
    short: msg`The numbers that a model consists of. Training changes them, and every peer holds the same ones to the last bit.`,
  },
  checkpoint: {
    topic: 'run',
    term: msg`Checkpoint`,
    short: msg`All parameters of the model as of one window, to download once. From there a tab follows by the much smaller outer steps.`,
  },
  'outer-step': {
    topic: 'run',
    term: msg`Outer step`,
    short: msg`The one change that turns a window’s model into the next, made from the aggregated contributions. Everybody applies the same.`,
  },
  'state-root': {
    topic: 'run',
    term: msg`State root`,
    short: msg`A fingerprint of all parameters (the root of a SHA-256 tree). Two peers with the same root hold the same model; your tab computes it itself.`,
  },
  'pseudo-gradient': {
    topic: 'contribution',
    term: msg`Pseudo-gradient`,
    short: msg`What a peer found out by training: in which direction, and how strongly, the model’s parameters should change.`,
    more: msg`A gradient belongs to one step. This one sums up a whole window of training, hence pseudo.`,
  },
  contribution: {
    topic: 'contribution',
    term: msg`Contribution`,
    short: msg`What a peer uploads in a window: its compressed pseudo-gradient, with the pages it trained on and a sample of its parameters, signed.`,
  },
  momentum: {
    topic: 'contribution',
    term: msg`Momentum and error feedback`,
    short: msg`What a tab remembers between windows: what it found out and could not send yet. Nothing is lost by sending only the strongest parts; the rest goes later.`,
  },
  dct: {
    topic: 'contribution',
    term: msg`DCT`,
    short: msg`Discrete cosine transform: rewrites a block of numbers as a sum of waves, so that a few large ones say most of it. JPEG pictures do the same.`,
  },
  'top-k': {
    topic: 'contribution',
    term: msg`Top-k`,
    short: msg`Of each block only the k largest values are sent. It makes uploads a hundred times smaller.`,
  },
  quantisation: {
    topic: 'contribution',
    term: msg`Quantisation`,
    short: msg`Writing a number with few bits: the nearest of a handful of values stands for it.`,
  },
  receipt: {
    topic: 'contribution',
    term: msg`Receipt`,
    short: msg`The validator’s signed word that it got your contribution, with its hash and the time. With it you can prove what you delivered and when.`,
  },
  sealed: {
    topic: 'contribution',
    term: msg`Sealed`,
    short: msg`Uploads are shown to nobody until the window is published, so there is nothing to copy in time.`,
  },
  'fast-check': {
    topic: 'checks',
    term: msg`Fast check`,
    short: msg`A test that every contribution takes: delivered, in time, signed, well formed, finite, for this model and in sync.`,
  },
  verdict: {
    topic: 'checks',
    term: msg`Verdict`,
    short: msg`The outcome of one check of one contribution: passed or failed, with the measured figure, the limit and the reason in words.`,
  },
  evaluation: {
    topic: 'checks',
    term: msg`Evaluation`,
    short: msg`The costly test: the validator applies a contribution to the model and measures the loss before and after. Each window some peers are drawn for it.`,
    more: msg`Who was not drawn lately is likelier next time. Not being drawn costs nothing.`,
  },
  'loss-score': {
    topic: 'checks',
    term: msg`Loss score`,
    short: msg`Loss before minus loss after applying a contribution, in nats a token. Positive means that it helped.`,
    more: msg`It is measured twice: on pages that the peer was assigned, and on random pages, the same for all.`,
  },
  'proof-of-computation': {
    topic: 'checks',
    term: msg`Proof of computation (μ)`,
    short: msg`Evidence that a peer really trained: its contribution helps more on its own assigned pages than on others. μ averages that over evaluations, from −1 (never) to 1 (always).`,
    more: msg`Whoever copies or makes something up gains no more on the assigned pages than on others, stays near zero or below, and gets no score.`,
  },
  'sync-score': {
    topic: 'checks',
    term: msg`Sync score`,
    short: msg`Whether a peer trained from the newest model: 1 when its parameters are the validator’s, towards 0 the more steps they lie apart.`,
  },
  overlap: {
    topic: 'checks',
    term: msg`Overlap`,
    short: msg`How much of two contributions points at the same places. Honest peers train on different text and share little; copies share nearly all.`,
  },
  beacon: {
    topic: 'checks',
    term: msg`Beacon`,
    short: msg`The random number that decides who is evaluated, and on which pages. The validator commits to its secret before the window and reveals it after, so nobody knows the draw in time and everybody can check it.`,
  },
  book: {
    topic: 'checks',
    term: msg`Book`,
    short: msg`The public record of a window: all contributions, draws, measurements and scores. Each book names the hash of the one before, so that history cannot be changed unseen.`,
  },
  audit: {
    topic: 'checks',
    term: msg`Audit`,
    short: msg`Computing a window’s scores again from its book and comparing. Anybody can, with public data alone.`,
  },
  rating: {
    topic: 'scores',
    term: msg`Rating (OpenSkill)`,
    short: msg`A belief about how good a peer’s contributions are, as in chess: each window the evaluated peers play a match that the larger loss score wins.`,
    more: msg`It is the Plackett–Luce model of the OpenSkill library: a mean (mu) and an uncertainty (sigma).`,
  },
  mu: {
    topic: 'scores',
    term: msg`mu (of a rating)`,
    short: msg`The middle of what is believed about a peer’s skill. Not to be confused with the μ of the proof of computation.`,
  },
  sigma: {
    topic: 'scores',
    term: msg`sigma`,
    short: msg`How unsure a rating is. It shrinks with every evaluation.`,
  },
  ordinal: {
    topic: 'scores',
    term: msg`Ordinal`,
    short: msg`The cautious reading of a rating that counts: mu minus several sigma. A newcomer begins near zero and rises as the rating gets surer.`,
  },
  gate: {
    topic: 'scores',
    term: msg`Gate`,
    short: msg`A factor that failed or missed windows cut, usually by a quarter. Each clean window takes one cut back; at 1 there is none.`,
  },
  'peer-score': {
    topic: 'scores',
    term: msg`Peer score`,
    short: msg`Ordinal times μ times sync score times gate. One factor at zero makes it zero: it takes skill and honest work and the newest model.`,
  },
  weight: {
    topic: 'scores',
    term: msg`Weight`,
    short: msg`A peer’s share of all that is given for a window, computed from the peer scores. All weights together make at most 100 %.`,
    more: msg`In a run without a chain a weight is a measure of usefulness, and no currency.`,
  },
  rank: {
    topic: 'scores',
    term: msg`Rank`,
    short: msg`The place among all peers of the run by peer score. Who has never been scored has none.`,
  },
  aggregation: {
    topic: 'scores',
    term: msg`Aggregation`,
    short: msg`Putting the best contributions of a window together into the outer step. A contribution that raised the loss in this very window is left out.`,
  },
  probation: {
    topic: 'scores',
    term: msg`Probation`,
    short: msg`A newcomer’s first evaluations, during which its contributions may be aggregated though it has no positive score yet.`,
  },
  inactive: {
    topic: 'scores',
    term: msg`Inactive`,
    short: msg`Has not delivered for a number of windows: it is not evaluated, not punished further and gets no weight. After longer, its figures start afresh.`,
  },
  hotkey: {
    topic: 'identity',
    term: msg`Hotkey`,
    short: msg`The key a peer is known by, written as an address that begins with 5. Everybody may see it; what is secret stays where it was made.`,
  },
  coldkey: {
    topic: 'identity',
    term: msg`Coldkey`,
    short: msg`On a chain, the key that owns hotkeys and the funds. It is never needed to train: it may sign one delegation and go back offline.`,
  },
  uid: {
    topic: 'identity',
    term: msg`uid`,
    short: msg`A peer’s place in the run: a small number. When a run is full, a newcomer takes over the place of whoever has been away longest.`,
  },
  guest: {
    topic: 'identity',
    term: msg`Guest`,
    short: msg`Who contributes without a wallet. The key is made in this browser, cannot be exported, and is gone when the site’s data are cleared.`,
  },
  delegation: {
    topic: 'identity',
    term: msg`Delegation`,
    short: msg`What a wallet signs once: that a key in this browser may train and upload for this run, until a date. It allows nothing else and can be revoked.`,
  },
  'session-key': {
    topic: 'identity',
    term: msg`Session key`,
    short: msg`The key in this browser that signs uploads in place of the wallet. It cannot be taken out of the browser.`,
  },
  subnet: {
    topic: 'chain',
    term: msg`Subnet`,
    short: msg`A part of a Bittensor chain with its own members and rules, known by a number, the netuid. A run may hang on one.`,
  },
  epoch: {
    topic: 'chain',
    term: msg`Epoch`,
    short: msg`The chain’s own round, counted in blocks (the tempo). At its end it turns all validators’ weights into incentive. It is not the same as a window.`,
  },
  incentive: {
    topic: 'chain',
    term: msg`Incentive`,
    short: msg`The share of a subnet’s emission for its miners that the chain gives a member, from what all validators’ weights agree on. Nobody can promise it.`,
  },
  emission: {
    topic: 'chain',
    term: msg`Emission`,
    short: msg`What a chain newly issues to a subnet in an epoch, in the subnet’s own token.`,
  },
  immunity: {
    topic: 'chain',
    term: msg`Immunity`,
    short: msg`For a number of blocks after its registration a member of a full subnet cannot be replaced.`,
  },
} satisfies Readonly<Record<string, Entry>>;

export type TermName = keyof typeof GLOSSARY;
