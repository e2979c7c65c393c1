import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Which rooms each room may import from, besides itself. Everything else is refused: imports point one way. */
const LAYERS = {
  core: [],
  chain: ['core'],
  engine: ['core'],
  client: ['core', 'engine'],
  workers: ['core', 'engine', 'client'],
  src: ['core', 'chain', 'engine', 'client', 'workers'],
  validator: ['core', 'chain', 'engine'],
  simulate: ['core', 'chain', 'engine', 'client', 'validator'],
  bench: ['core', 'chain', 'engine', 'client', 'validator', 'simulate', 'e2e'],
  e2e: ['core', 'chain', 'engine', 'client', 'validator', 'simulate', 'workers'],
};

const importsOf = (room, allowed) => {
  const refused = Object.keys(LAYERS).filter((other) => other !== room && !allowed.includes(other));
  return refused.length === 0
    ? []
    : [
        {
          regex: `^(\\.\\./)+(${refused.join('|')})/`,
          message: `${room}/ may import ${allowed.join(', ') || 'nothing of ours'} only.`,
        },
      ];
};

/** The production validator and the contributor also run in a tab, so these rooms are free of Node. */
const FREE_OF_NODE = [
  'core/**/*.ts',
  'chain/**/*.ts',
  'client/**/*.ts',
  'validator/rounds/**/*.ts',
  'validator/http/**/*.ts',
  'simulate/attacks/**/*.ts',
  'validator/audit/**/*.ts',
  'workers/demo/**/*.ts',
  'workers/replay/**/*.ts',
];
const NODE_MODULES = { regex: '^node:', message: 'This room is free of Node.' };
const COMLINK = { name: 'comlink', message: 'Only src/client/rpc.ts, which has deadlines, and the worker’s end.' };

/** The demonstration is a whole run in a tab, so it alone reaches into what of these rooms is free of Node. */
const DEMO = {
  regex: '^(\\.\\./)+(chain|src|bench|e2e|validator/(?!rounds/|http/)|simulate/(?!attacks/))',
  message: 'workers/demo/ may import core, engine, client, workers, validator/{rounds,http} and simulate/attacks only.',
};

/** An auditor's work in a tab: the audit's own code and what of the rounds it uses. */
const VERIFIER = {
  regex: '^(\\.\\./)+(chain|src|bench|e2e|simulate|validator/(?!rounds/|audit/))',
  message: 'workers/verifier/ may import core, engine, client, workers and validator/{rounds,audit} only.',
};

/** A recorded run in a tab: the validator's views over the demonstration's store. */
const REPLAY = {
  regex: '^(\\.\\./)+(chain|src|bench|e2e|engine|simulate|validator/(?!rounds/|http/))',
  message: 'workers/replay/ may import core, client, workers and validator/{rounds,http} only.',
};

/** One rule a room, since a later setting of a rule replaces an earlier one. */
const layers = Object.entries(LAYERS).flatMap(([room, allowed]) => [
  {
    files: [`${room}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: importsOf(room, allowed), paths: room === 'src' ? [COMLINK] : [] },
      ],
    },
  },
  {
    files: FREE_OF_NODE.filter((pattern) => pattern.startsWith(`${room}/`)),
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [...importsOf(room, allowed), NODE_MODULES] }],
      'no-restricted-globals': ['error', 'process', 'Buffer'],
    },
  },
]);

export default tseslint.config(
  // The benchmarks' peers are checked where their libraries are installed.
  { ignores: ['dist/', 'data/', 'test-results/', 'playwright-report/', 'bench/peers/'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Typed arrays are indexed in bounds all over the numerics; noUncheckedIndexedAccess makes that `x[i]!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  ...layers.filter(({ files }) => files.length > 0),
  {
    files: ['workers/demo/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [DEMO, NODE_MODULES] }] },
  },
  {
    files: ['workers/verifier/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [VERIFIER, NODE_MODULES] }] },
  },
  {
    files: ['workers/replay/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [REPLAY, NODE_MODULES] }] },
  },
  {
    // Some commands ask another validator, as any client does.
    files: ['validator/commands/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: importsOf('validator', [...LAYERS.validator, 'client']) }],
    },
  },
  {
    // The store's test-suite is the Node adapters', and a recording is tested on a whole run.
    files: ['workers/demo/memory-store.test.ts', 'workers/replay/recorded-run.test.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['src/client/rpc.ts', 'src/**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: importsOf('src', LAYERS.src) }] },
  },
  {
    files: ['src/**/*.tsx'],
    ...jsxA11y.flatConfigs.recommended,
    plugins: { ...jsxA11y.flatConfigs.recommended.plugins, 'react-hooks': reactHooks },
    rules: { ...jsxA11y.flatConfigs.recommended.rules, ...reactHooks.configs.recommended.rules },
    languageOptions: { ...jsxA11y.flatConfigs.recommended.languageOptions, globals: globals.browser },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: globals.node },
  },
);
