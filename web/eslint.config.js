import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["node_modules", "dist", "src/api/schema.ts"] },
  js.configs.recommended,
  { files: ["public/*.js"], languageOptions: { globals: { localStorage: "readonly", document: "readonly" } } },
  ...ts.configs.strictTypeChecked,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // React's own advice says the same of both: the virtualiser and the router hand out functions that change
      "react-hooks/incompatible-library": "off",
    },
  },
  { files: ["eslint.config.js", "public/*.js"], ...ts.configs.disableTypeChecked },
);
