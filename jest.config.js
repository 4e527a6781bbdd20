/**
 * ESM mode: start Jest with `--experimental-vm-modules` (the npm scripts do). Babel 8 and magic-string are ESM-only,
 * so Jest's default CommonJS mode can't load what is tested here.
 *
 * @type {import("jest").Config}
 */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/{plugin,runtime,scripts,fixtures}/**/*.test.ts"],
  // A built copy and the fixtures' own packages would be second modules of one name.
  modulePathIgnorePatterns: [
    "<rootDir>/dist/",
    "<rootDir>/.cache/runs/",
    "<rootDir>/fixtures/.*/(dist|node_modules|\\.out[^/]*)/",
  ],
  testPathIgnorePatterns: ["/node_modules/", "/dist/"],
  extensionsToTreatAsEsm: [".ts", ".tsx"],
  transform: {
    "\\.tsx?$": [
      "@swc/jest",
      {
        swcrc: false,
        jsc: {
          target: "es2022",
          parser: { syntax: "typescript", tsx: false },
          experimental: { keepImportAttributes: true },
        },
        module: { type: "es6" },
      },
    ],
  },
  cacheDirectory: "<rootDir>/.cache/jest",
  maxWorkers: 2,
  testTimeout: 30_000,
};
