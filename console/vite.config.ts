// SPDX-License-Identifier: Apache-2.0
// How the console is built: into the Python package, with nothing inline, and packed once so that no server has to.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const OUT = '../src/wigwag/adapters/console/built'

/** Writes .br and .gz beside every file that gets smaller by it. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    async closeBundle() {
      for (const entry of await readdir(OUT, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(html|js|css|svg)$/.test(entry.name)) continue
        const path = join(entry.parentPath, entry.name)
        const plain = await readFile(path)
        const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
        await writeFile(`${path}.br`, brotliCompressSync(plain, best))
        await writeFile(`${path}.gz`, gzipSync(plain, { level: 9 }))
      }
    },
  }
}

const gateway = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080'
const behind = ['/api', '/sim', '/metrics', '/readyz', '/openapi.json']

export default defineConfig({
  plugins: [packed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy allows nothing inline
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(behind.map(path => [path, gateway])) },
})
