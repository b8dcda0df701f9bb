// bpmn-js and its extensions are written for bundlers; Node alone does not resolve their imports.

import { build } from 'esbuild';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Runs the checks of a module beside this one; a failure becomes the program's exit code. */
export async function check(module) {
  const bundle = `${here}node_modules/.cache/${module}`;
  await build({ entryPoints: [ `${here}${module}` ], outfile: bundle, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
  const { run } = await import(pathToFileURL(bundle));
  try {
    await run({ root: fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, ''), update: process.argv.includes('--update') });
  } catch (error) {
    console.error(`check failed: ${error.message}`);
    process.exitCode = 1;
  }
}
