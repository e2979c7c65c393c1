import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'node_modules/', 'test-results/', 'playwright-report/', '.cache/'] },
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
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // Imports point one way: core <- engine <- {src, workers, validator, simulate}.
    files: ['**/*.{ts,tsx}'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { typescript: { alwaysTryTypes: true } },
      'boundaries/elements': [
        { type: 'core', pattern: 'core/**', mode: 'full' },
        { type: 'engine', pattern: 'engine/**', mode: 'full' },
        { type: 'client', pattern: 'client/**', mode: 'full' },
        { type: 'src', pattern: 'src/**', mode: 'full' },
        { type: 'workers', pattern: 'workers/**', mode: 'full' },
        { type: 'validator-pure', pattern: 'validator/{rounds,http}/**', mode: 'full' },
        { type: 'validator', pattern: 'validator/**', mode: 'full' },
        { type: 'simulate', pattern: 'simulate/**', mode: 'full' },
        { type: 'bench', pattern: 'bench/**', mode: 'full' },
        { type: 'e2e', pattern: 'e2e/**', mode: 'full' },
      ],
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            { from: { element: { type: '*' } }, allow: { to: { module: { origin: ['external', 'core'] } } } },
            { from: { element: { type: ['core', 'engine'] } }, allow: { to: { element: { type: 'core' } } } },
            { from: { element: { type: 'engine' } }, allow: { to: { element: { type: 'engine' } } } },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
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
