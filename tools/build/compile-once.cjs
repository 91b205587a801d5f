// Jest compiles each module anew for every spec file. Here a worker compiles it once, and runs it
// in the context of each file: loading a service takes two thirds of the time, and its functions,
// which V8 compiles at their first call, stay compiled.
const vm = require('node:vm');

/** What a worker compiled, by the path of the module. */
const compiled = new Map();
const compileFunction = vm.compileFunction;

/**
 * Has Jest's `vm.compileFunction` answer with what was compiled before, in the context it names.
 */
function compileOnce() {
  vm.compileFunction = (source, parameters, options) => {
    const { filename, parsingContext } = options ?? {};
    if (!filename || !parsingContext) return compileFunction(source, parameters, options);
    const head = `(function (${parameters.join(', ')}) {`;
    let known = compiled.get(filename);
    if (known?.source !== source || known.head !== head) {
      // Lines and columns stay those of the module. An `import()` fails, as it does in Jest.
      const script = new vm.Script(`${head}${source}\n})`, {
        filename,
        columnOffset: -head.length,
      });
      known = { source, head, script };
      compiled.set(filename, known);
    }
    return known.script.runInContext(parsingContext);
  };
}

module.exports = { compileOnce };
