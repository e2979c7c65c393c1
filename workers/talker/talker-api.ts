/** What the page may ask of the talker worker, and what it is told. Types only: importing it pulls in no model. */

export interface TalkOptions {
  readonly validatorUrl: string;
  /** Where requests to a validator in this tab go, as `portFetch` takes it; over the network without it. */
  readonly validatorPort?: MessagePort;
  /** Where the model is kept, instead of the browser's usual place. */
  readonly databaseName?: string;
  readonly prompt: string;
  /** Tokens at most. */
  readonly maxTokens: number;
  /** As `GenerateOptions` has it. */
  readonly temperature: number;
  readonly seed: string;
}

export type TalkerEvent =
  | { readonly type: 'progress'; readonly bytes: number; readonly totalBytes: number }
  /** The model is there: that which this window trains from. */
  | { readonly type: 'model'; readonly window: number }
  /** What comes next of the text. */
  | { readonly type: 'text'; readonly text: string };

export type TalkResult =
  | { readonly ended: true; readonly tokens: number; readonly seconds: number }
  | { readonly ended: false; readonly reason: string };

// A type, not an interface: its methods are indexed by name at the boundary.
export type TalkerApi = {
  /** Where events go from now on. */
  connect(events: MessagePort, life: string): Promise<boolean>;
  /** Goes on with a prompt by the run's newest model, which is brought first. One at a time. */
  talk(options: TalkOptions): Promise<TalkResult>;
  /** Ends the text where it is. */
  stop(): void;
};
