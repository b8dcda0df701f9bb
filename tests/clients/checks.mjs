// Runs named checks one after the other, prints a line for each, and ends with an error if one failed.

const checks = [];

/** Adds a check: an async function that throws where what it sees is not what it expects. */
export function check(name, run) {
  checks.push({ name, run });
}

export async function runAll(client) {
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      await run();
      console.log(`${client}: ${name}: ok`);
    } catch (error) {
      failed += 1;
      console.log(`${client}: ${name}: FAILED`);
      console.error(error);
    }
  }
  console.log(`${client}: ${checks.length - failed} of ${checks.length} checks hold`);
  // A failed check may leave a stream open that would keep the process alive.
  process.exit(failed ? 1 : 0);
}
