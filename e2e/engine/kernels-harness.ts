/** The page of the kernel tests: runs a case on the device that the app would have. */
import { sharedContext } from '../../engine/web-device.ts';
import { KERNEL_CASES } from './kernel-cases.ts';
import { runCase, type CaseResult } from './run-case.ts';

declare global {
  interface Window {
    runKernelCase: (operator: string, number: number) => Promise<CaseResult>;
  }
}

window.runKernelCase = async (operator, number) => runCase(await sharedContext(), KERNEL_CASES[operator]![number]!);
