import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { globalIgnores } from "eslint/config";
import ts from "typescript-eslint";

export default ts.config(
  globalIgnores(["dist", "src/api/schema.d.ts", "test-results", "playwright-report"]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  a11y.flatConfigs.strict,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "max-lines": ["error", { max: 200, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // TanStack Router's redirects and not-found signals are thrown values.
      "@typescript-eslint/only-throw-error": "off",
      "no-restricted-globals": [
        "error",
        { name: "fetch", message: "Use the typed client in src/api/client.ts." },
      ],
    },
  },
  {
    files: ["e2e/**", "**/*.test.{ts,tsx}", "src/test/**"],
    rules: { "max-lines": "off", "no-restricted-globals": "off" },
  },
  { files: ["eslint.config.js"], extends: [ts.configs.disableTypeChecked] },
);
