/** Writes the table of settings into README.md, from the built src/config.ts. Run `npm run build` first. */
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTable } from '../dist/config.js';

const file = new URL('../README.md', import.meta.url);
const between = /(<!-- settings:start -->\n)[\s\S]*?(<!-- settings:end -->)/;
const text = readFileSync(file, 'utf8');
if (!between.test(text)) throw new Error('README.md lacks <!-- settings:start --> and <!-- settings:end -->');
writeFileSync(
  file,
  text.replace(between, (_, start, end) => `${start}${settingsTable()}\n${end}`),
);
