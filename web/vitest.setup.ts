import fc from "fast-check";

// As in the tests of the server: a build server draws the same examples each time, so that red means a change.
if (process.env.CI) fc.configureGlobal({ seed: 7 });
