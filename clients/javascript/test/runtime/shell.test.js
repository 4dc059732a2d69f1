// What stands in a command that can be pasted.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { quoted } from '../../src/runtime/shell.js'

test('a plain word stays as it is', () => {
  assert.equal(quoted('./keys/ada.key'), './keys/ada.key')
  assert.equal(quoted('+serve=mail'), '+serve=mail')
})

test('a shell reads any other text as one word', () => {
  const texts = ['', "it's here", 'a b', '$HOME', 'x;y', 'serve=x-*']
  const script = `printf '%s\\n' ${texts.map(quoted).join(' ')}`

  assert.equal(
    execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }),
    `${texts.join('\n')}\n`,
  )
})
