const preset = require('../../jest.preset.cjs');

// It imports Node's modules dynamically, which Jest can only do in a file that it transforms.
const exporter = 'node_modules/@opentelemetry/otlp-exporter-base/';
const [toCommonJs] = Object.values(preset.transform);

module.exports = {
  ...preset,
  rootDir: __dirname,
  transform: { ...preset.transform, [`${exporter}.+\\.js$`]: toCommonJs },
  transformIgnorePatterns: [`/node_modules/(?!modern-tar/|${exporter.slice(13)})`],
};
