/**
 * Runs the tests, one layer after the other, and ends with one line, `N passed, N failed, N skipped`.
 *
 *     node scripts/test.mjs         builds, then all layers but docker
 *     node scripts/test.mjs --all   installs what the tests need (as root on Debian), checks types and style,
 *                                   builds, then every layer
 *
 * Where CI=true, a skipped test fails the run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EVERYDAY_LAYERS = ['unit', 'api', 'process', 'attacks'];
const ALL_LAYERS = [...EVERYDAY_LAYERS, 'docker'];

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const inCi = process.env.CI === 'true';

/** Runs a command with its output on ours; true when it ended with 0. */
function run(command, args) {
  console.log(`\n> ${[command.replace(root, ''), ...args].join(' ')}`);
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** The sandbox tests need bubblewrap; without it they are skipped. */
function installBubblewrap() {
  const installed = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'bwrap')));
  if (installed || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  const install = () => run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'bubblewrap']);
  if (!install()) run('apt-get', ['update', '-qq']) && install();
}

/** Runs one layer. A file that cannot even be loaded counts as one failed test. */
function runLayer(layer) {
  const folder = mkdtempSync(join(tmpdir(), 'test-report-'));
  const report = join(folder, 'report.json');
  const passed = run(bin('vitest'), [
    'run',
    ...['--project', layer, '--passWithNoTests'],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  const totals = existsSync(report) ? countTests(JSON.parse(readFileSync(report, 'utf8'))) : [0, 0, 0];
  rmSync(folder, { recursive: true });
  if (!passed && totals[1] === 0) totals[1] = 1;
  return totals;
}

/** [passed, failed, skipped] of a report. */
function countTests(report) {
  const emptyFailures = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return [
    report.numPassedTests,
    report.numFailedTests + emptyFailures.length,
    report.numPendingTests + report.numTodoTests,
  ];
}

function finish([passed, failed, skipped]) {
  if (inCi && skipped > 0) console.log('\nTests were skipped; where CI=true that is a failure.');
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed > 0 || passed === 0 || (inCi && skipped > 0) ? 1 : 0);
}

const all = process.argv.includes('--all');
if (all) installBubblewrap();
const checks = all
  ? [
      [bin('tsc'), ['-p', 'tsconfig.json']],
      [bin('biome'), ['check']],
    ]
  : [];
checks.push([process.execPath, ['scripts/build.mjs']]);
if (!checks.every(([command, args]) => run(command, args))) finish([0, 1, 0]);

const layers = (all ? ALL_LAYERS : EVERYDAY_LAYERS).map(runLayer);
finish(layers.reduce((sum, layer) => sum.map((count, i) => count + layer[i]), [0, 0, 0]));
