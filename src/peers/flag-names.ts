/** The validator's flags in words. One that is not known here is shown as it came. */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';

const NAMES: Readonly<Record<string, MessageDescriptor>> = {
  new: msg`new`,
  probation: msg`on probation`,
  gated: msg`cut`,
  'other-data': msg`other pages`,
  inactive: msg`away`,
  naughty: msg`banned`,
  excluded: msg`left out`,
  copied: msg`a copy`,
};

export function flagName(flag: string): string {
  const name = Object.hasOwn(NAMES, flag) ? NAMES[flag] : undefined;
  return name ? i18n._(name) : flag;
}
