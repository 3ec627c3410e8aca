/** Writes openapi.yaml from the routes of the built server; nothing is started. Run `npm run build` first. */
import { readFileSync, writeFileSync } from 'node:fs';
import pino from 'pino';
import { buildApp } from '../dist/http/app.js';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

const app = await buildApp({
  config: { projectId: 'default', trustProxy: false, logLevel: 'silent' },
  version,
  log: pino({ level: 'silent' }),
});
writeFileSync(new URL('openapi.yaml', root), app.swagger({ yaml: true }));
