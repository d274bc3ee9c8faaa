// Counts the results of http-cache-tests by kind, beside those that the suite carries of other caches: score.mjs SUITE
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const suite = process.argv[2]
const home = join(suite, 'node_modules/http-cache-tests')
const { default: sets } = await import(pathToFileURL(join(home, 'tests/index.mjs')))
const tests = sets.flatMap((set) => set.tests).filter((test) => !test.browser_only)

function score(results, kind) {
  const own = tests.filter((test) => (test.kind ?? 'required') === kind)
  const failed = own.filter((test) => results[test.id] !== true)
  return { passed: own.length - failed.length, of: own.length, failed }
}

const line = (name, results) => {
  const [required, optimal] = [score(results, 'required'), score(results, 'optimal')]
  console.log(`${name}: required ${required.passed} of ${required.of}, optimal ${optimal.passed} of ${optimal.of}`)
  return [...required.failed, ...optimal.failed]
}

for (const file of readdirSync(join(home, 'results')).filter((name) => name.endsWith('.json'))) {
  line(file.replace('.json', ''), JSON.parse(readFileSync(join(home, 'results', file))))
}
const results = JSON.parse(readFileSync(join(suite, 'results.json')))
for (const test of line('holdfast', results)) {
  console.log(`  ${test.kind ?? 'required'} ${test.id}: ${JSON.stringify(results[test.id])}`)
}
