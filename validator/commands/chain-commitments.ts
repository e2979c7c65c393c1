/** `gauntlet chain commit` and `gauntlet chain commitments`: what hotkeys publish on a subnet, such as a URL. */
import { readHotkeyFile } from '../adapters/chain/hotkey-file.ts';
import { chainTarget, withChain, type ChainOptions } from './chain-target.ts';

/** Anybody's text, so that it cannot steer a terminal. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '\uFFFD');

export async function chainCommitCommand(
  options: ChainOptions & { readonly text: string; readonly keyFile: string },
): Promise<void> {
  const signer = await readHotkeyFile(options.keyFile);
  const target = await chainTarget(options);
  await withChain(target, async (chain) => {
    const { block } = await chain.commit(target.netuid, options.text, signer);
    console.log(`${signer.address} published it in block ${block.number}`);
  });
}

export async function chainCommitmentsCommand(options: ChainOptions & { readonly json?: boolean }): Promise<void> {
  const target = await chainTarget(options);
  await withChain(target, async (chain) => {
    const commitments = await chain.commitments(target.netuid);
    const lines = commitments.map(({ hotkey, text, block }) => `${hotkey}  block ${block}  ${printable(text)}`);
    if (options.json) console.log(JSON.stringify(commitments, undefined, 2));
    else console.log(lines.length > 0 ? lines.join('\n') : `nobody has published anything on subnet ${target.netuid}`);
  });
}
