import { isUtf8 } from 'node:buffer';
import { ConfigError, type ConfigProblem } from './config-problem';
import type { LoadedConfig, LoadedServices } from './config-types';
import { LOG_SECTIONS } from './keys/common-sections';
import { envName, SERVICE_NAMES, type ServiceName } from './keys/section';
import { checkApiTokens } from './sources/check-api-tokens';
import { checkBitbucketUrls } from './sources/check-bitbucket-urls';
import { checkKeys } from './sources/check-keys';
import { checkNames, checkPorts, checkSameKey } from './sources/check-both-services';
import { checkProxies } from './sources/check-proxies';
import { checkVariables } from './sources/check-variables';
import { readEnvironment } from './sources/environment';
import { readSections } from './sources/read-sections';
import { readHooks, readVcs } from './sources/read-services';
import { Reading } from './sources/reading';
import { readBounded, whyUnreadable } from './read-bounded';
import { mergeTrees } from './toml/merge-trees';
import { readTomlTree, type TomlTable } from './toml/toml-tree';

/** That of a whole CDS with all its hatcheries has a tenth of it. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Nobody reads more at a time. */
const MAX_PROBLEMS = 200;

/**
 * A configuration file that was read. `path` is named in problems; not needed where there is one
 * alone.
 */
export interface ConfigText {
  text: string;
  path?: string;
}

/** Where a configuration is read from, besides the environment. */
export interface ConfigSources {
  /** Paths. */
  files?: readonly string[] | undefined;
  /** What `readRemoteConfig` read. */
  documents?: readonly ConfigText[] | undefined;
}

/**
 * Reads the configuration of `services`: defaults, then the files and the documents, of
 * which the later count where keys are the same, then the environment. Returns what is
 * worth a look as `warnings`.
 *
 * @throws ConfigError with everything that is wrong.
 */
export function loadConfig(
  o: ConfigSources & { services: readonly ServiceName[]; env: NodeJS.ProcessEnv },
): LoadedConfig {
  const texts = readConfigFiles(o.files ?? [], o.documents);
  const { problems, vcs, hooks } = read(texts, o.services, o.env);
  if (problems.some(({ level }) => level === 'error')) throw new ConfigError(problems);
  return { ...(vcs && { vcs }), ...(hooks && { hooks }), warnings: problems };
}

/**
 * The values of all secret keys, to keep them out of what is printed: of the files and the
 * environment, whether the configuration is right or not.
 *
 * @throws ConfigError saying which file cannot be read, and why.
 */
export function secretValues(
  o: ConfigSources & { services: readonly ServiceName[]; env: NodeJS.ProcessEnv },
): string[] {
  return read(readConfigFiles(o.files ?? [], o.documents), o.services, o.env).secrets;
}

/**
 * Checks the text of a configuration file, or of several: the sections of our services that they
 * have, or `services`. The environment counts only where it is given. Returns errors and warnings,
 * in the order of the file.
 */
export function checkConfigText(
  text: string | readonly ConfigText[],
  o: { services?: readonly ServiceName[]; env?: NodeJS.ProcessEnv } = {},
): ConfigProblem[] {
  return read(typeof text === 'string' ? [{ text }] : text, o.services, o.env ?? {}).problems;
}

/**
 * The services that files configure; without a file those of `CDS_SERVICE`, else all.
 * @throws ConfigError where a file cannot be read as TOML
 */
export function servicesOf(
  texts: readonly ConfigText[],
  env: NodeJS.ProcessEnv,
): readonly ServiceName[] {
  const problems: ConfigProblem[] = [];
  const file = readTrees(texts, problems);
  if (texts.length > 0 && !file) throw new ConfigError(problems);
  const named = (env.CDS_SERVICE ?? '').split(/[\s,]+/);
  const found = SERVICE_NAMES.filter((service) =>
    file ? file.children.has(service) : named.includes(service),
  );
  return found.length > 0 ? found : SERVICE_NAMES;
}

/** @param wanted undefined for the services that the files have */
function read(
  texts: readonly ConfigText[],
  wanted: readonly ServiceName[] | undefined,
  env: NodeJS.ProcessEnv,
): LoadedServices & { problems: ConfigProblem[]; secrets: string[] } {
  const problems: ConfigProblem[] = [];
  const file = readTrees(texts, problems);
  // Without a readable file nothing else can be said: all of it would seem to be missing.
  if (texts.length > 0 && !file) return { problems, secrets: [] };

  const services = wanted ?? SERVICE_NAMES.filter((service) => file?.children.has(service));
  const reading = new Reading(file, readEnvironment(env, services), problems);
  checkKeys(reading, services);
  checkVariables(reading, services);
  const { log } = readSections(reading, LOG_SECTIONS);
  const proxies = checkProxies(reading, env);
  const shared = { log, ...(proxies && { proxies }) };
  const loaded = {
    ...(services.includes('vcs') && {
      vcs: { ...readVcs(reading), ...shared, ...secretFilesOf('vcs', reading) },
    }),
    ...(services.includes('hooks') && {
      hooks: { ...readHooks(reading), ...shared, ...secretFilesOf('hooks', reading) },
    }),
  };
  checkNames(reading, services);
  checkSameKey(reading, loaded);
  checkApiTokens(reading, loaded);
  checkPorts(reading, loaded);
  // Of a value that is wrong the default stands in the result.
  if (!problems.some(({ level: of }) => of === 'error')) checkBitbucketUrls(reading, loaded);
  const first = firstOf(inOrderOfFiles(problems, texts));
  if (!wanted && services.length === 0)
    first.push({ key: '', level: 'error', message: 'there is neither [vcs] nor [hooks] in it' });
  return { ...loaded, problems: first, secrets: [...reading.secrets] };
}

function secretFilesOf(service: ServiceName, { env }: Reading) {
  const prefix = `${envName([service])}_`;
  const secretFiles = env.secretFiles.filter(({ variable }) => variable.startsWith(prefix));
  return secretFiles.length > 0 && { secretFiles };
}

/** Undefined when there is no file, or when one of them is not TOML. */
function readTrees(texts: readonly ConfigText[], problems: ConfigProblem[]): TomlTable | undefined {
  const trees = texts.map(({ text, path }) => readTomlTree(text, problems, path));
  const readable = trees.filter((tree) => tree !== undefined);
  if (readable.length === 0 || readable.length < trees.length) return undefined;
  return mergeTrees(readable, problems);
}

/** By file and line; what stands in no file comes last. */
function inOrderOfFiles(problems: ConfigProblem[], texts: readonly ConfigText[]): ConfigProblem[] {
  const last = Number.MAX_SAFE_INTEGER;
  const fileOf = ({ file, line }: ConfigProblem) =>
    line === undefined ? last : texts.findIndex(({ path }) => path === file);
  return problems.sort((a, b) => fileOf(a) - fileOf(b) || (a.line ?? last) - (b.line ?? last));
}

/** At most {@link MAX_PROBLEMS} of them, errors first, and how many more there are. */
function firstOf(problems: ConfigProblem[]): ConfigProblem[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  const errors = problems.filter(({ level }) => level === 'error');
  const first = (errors.length > 0 ? errors : problems).slice(0, MAX_PROBLEMS);
  const message = `there are ${problems.length - first.length} more problems: mend these first`;
  return [...first, { key: '', level: 'warning', message }];
}

/**
 * The texts of configuration files, and of what else holds configuration, in the order in which
 * they count.
 *
 * @throws ConfigError saying which file cannot be read, and why.
 */
export function readConfigFiles(
  files: readonly string[],
  documents: readonly ConfigText[] = [],
): ConfigText[] {
  const paths = [...new Set(files)];
  const isAlone = paths.length + documents.length === 1;
  const texts = paths.map((path) => ({ text: readConfigFile(path), ...(!isAlone && { path }) }));
  return [...texts, ...documents];
}

/**
 * The text of a configuration file.
 *
 * @throws ConfigError saying why it cannot be read.
 */
export function readConfigFile(file: string): string {
  const refuse = (reason: string) =>
    new ConfigError([
      { key: '', level: 'error', message: `cannot read the configuration file ${file}: ${reason}` },
    ]);
  try {
    const bytes = readBounded(file, MAX_FILE_BYTES);
    if (!bytes) throw refuse(`it is larger than ${MAX_FILE_BYTES} bytes`);
    // As TOML wants it. Otherwise a password in another encoding would quietly become another one.
    if (!isUtf8(bytes)) throw refuse('it is not UTF-8: save it in that encoding');
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw refuse(whyUnreadable(error));
  }
}
