import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Which rooms each room may import from, besides itself. Everything else is refused: imports point one way. */
const LAYERS = {
  core: [],
  engine: ['core'],
  client: ['core', 'engine'],
  workers: ['core', 'engine', 'client'],
  src: ['core', 'engine', 'client', 'workers'],
  validator: ['core', 'engine'],
  simulate: ['core', 'engine', 'client', 'validator'],
  bench: ['core', 'engine', 'client', 'validator', 'simulate', 'e2e'],
  e2e: ['core', 'engine', 'client', 'validator', 'simulate', 'workers'],
};

const zones = Object.entries(LAYERS).flatMap(([room, allowed]) =>
  Object.keys(LAYERS)
    .filter((other) => other !== room && !allowed.includes(other))
    .map((other) => ({ target: `./${room}`, from: `./${other}`, message: `${room}/ must not import ${other}/` })),
);

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'test-results/', 'playwright-report/'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Typed arrays are indexed in bounds all over the numerics; noUncheckedIndexedAccess makes that `x[i]!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'import-x/no-restricted-paths': ['error', { zones }],
    },
  },
  {
    // The production validator also runs in a tab (demonstration mode), so these rooms are free of Node.
    files: ['core/**/*.ts', 'client/**/*.ts', 'validator/rounds/**/*.ts', 'validator/http/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'This room is free of Node.' }] }],
      'no-restricted-globals': ['error', 'process', 'Buffer'],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/client/rpc.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'comlink', message: 'Only src/client/rpc.ts, which has deadlines.' }] },
      ],
    },
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
