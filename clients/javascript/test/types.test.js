// The declarations of types/ name what the package exports, and the members that its classes have.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

import ts from 'typescript'

import * as edge from '../src/express.js'
import * as main from '../src/index.js'

const INNER = new Set([
  'constructor',
  '[Symbol.util.inspect.custom]',
  'whenClosed',
  'take',
  'unanswered',
  'answered',
  'cursor',
  'lose',
  'nextOf',
  'end',
  'toString',
])
// Made by the library alone: their internals are not declared.
const PARTIAL = new Set(['Synapse', 'Axon'])

const path = (name) => fileURLToPath(new URL(`../types/${name}.d.ts`, import.meta.url))
const program = ts.createProgram([path('index'), path('express')], { noLib: true })

/** Return the exported declarations of a file by their names, without mere types. */
function declared(name) {
  const values = new Map()
  for (const node of program.getSourceFile(path(name)).statements) {
    const isExported = node.modifiers?.some((each) => each.kind === ts.SyntaxKind.ExportKeyword)
    if (!isExported || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) continue
    if (ts.isVariableStatement(node)) {
      for (const each of node.declarationList.declarations) values.set(each.name.text, node)
    } else values.set(node.name.text, node)
  }
  return values
}

/** Return the names of the methods and accessors of a declared class. */
function members(node) {
  const names = node.members.filter((each) => each.name && !isStatic(each)).map(nameOf)
  return new Set(names)
}

const isStatic = (node) => node.modifiers?.some((each) => each.kind === ts.SyntaxKind.StaticKeyword)
const nameOf = ({ name }) => {
  if (!ts.isComputedPropertyName(name)) return name.text
  const { expression, name: symbol } = name.expression
  return `[${expression.text}.${symbol.text}]`
}

function prototypeNames({ prototype }) {
  const symbols = Object.getOwnPropertySymbols(prototype).map(
    (each) => `[${each.description.replace('nodejs', 'Symbol')}]`,
  )
  return [...Object.getOwnPropertyNames(prototype), ...symbols].filter((each) => !INNER.has(each))
}

for (const [name, module] of [
  ['index', main],
  ['express', edge],
]) {
  test(`types/${name}.d.ts declares the exports of the package and no others`, () => {
    assert.deepEqual([...declared(name).keys()].sort(), Object.keys(module).sort())
  })
}

for (const [name, value] of Object.entries(main)) {
  const node = declared('index').get(name)
  if (!node || !ts.isClassDeclaration(node) || value.prototype instanceof Error) continue
  test(`every public member of ${name} is declared`, () => {
    const missing = prototypeNames(value).filter((each) => !members(node).has(each))
    if (PARTIAL.has(name))
      assert.ok(missing.every((each) => ['carrier', 'transport'].includes(each)))
    else assert.deepEqual(missing, [])
  })
  test(`every declared member of ${name} exists`, () => {
    const own = Object.getOwnPropertyNames(value.prototype)
    const methods = node.members.filter((each) => ts.isMethodDeclaration(each) && !isStatic(each))
    const names = methods.map(nameOf).filter((each) => !each.startsWith('['))
    assert.deepEqual(
      names.filter((each) => !own.includes(each)),
      [],
    )
  })
}
