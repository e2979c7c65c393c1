/**
 * Starts the image's root file system as an engine would, and beside it Debian's Prometheus and Caddy on the files of this
 * folder, and looks whether all of it works together. `prove-image.sh` calls it, in a network namespace of its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { image: { type: 'string' }, root: { type: 'string' }, data: { type: 'string' } },
});
const { root, data } = options;
const { config } = JSON.parse(readFileSync(options.image, 'utf8')).Docker;
const work = mkdtempSync(join(tmpdir(), 'prove-'));
const VALIDATOR = 'http://127.0.0.1:8899';
const PROMETHEUS = 'http://127.0.0.1:9090';
/** So much work as two windows: the machine may be busy. */
const PATIENCE_MS = 600_000;
const UPLOAD_BYTES = 48 * 2 ** 20;

const started = [];
const outputs = [];
let failures = 0;
let done = false;

function check(what, good, detail = '') {
  if (!good) failures++;
  console.log(`${good ? 'ok    ' : 'FAILED'} ${what}${detail === '' ? '' : `: ${detail}`}`);
}

async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not come about`);
    await sleep(500);
  }
}

function start(command, args, more = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...more });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output.text += part));
  started.push(child);
  outputs.push(output);
  return { child, output };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** As an engine starts a container with --read-only --cap-drop=all --security-opt=no-new-privileges --tmpfs /tmp. */
function container(args) {
  const [user, group] = config.User.split(':');
  const environment = [...config.Env, 'HOME=/tmp', 'GAUNTLET_LOG=info'].map(quoted).join(' ');
  const command = [...config.Entrypoint, ...args].map(quoted).join(' ');
  // An engine writes this file into each container.
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  const script = `set -e
    mount --make-rprivate /
    mount --bind ${quoted(root)} ${quoted(root)}
    mount --bind ${quoted(data)} ${quoted(root)}/data
    mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmpfs ${quoted(root)}/tmp
    mount --rbind /dev ${quoted(root)}/dev
    mount -t proc proc ${quoted(root)}/proc
    mount -o remount,bind,ro ${quoted(root)}
    exec chroot ${quoted(root)} setpriv --reuid ${user} --regid ${group} --clear-groups --no-new-privs --bounding-set=-all \
      --inh-caps=-all env -i ${environment} sh -c 'cd ${config.WorkingDir}; exec "$@"' sh ${command}`;
  return start('unshare', ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', 'sh', '-c', script]);
}

/** Process 1 of the container, as this machine numbers it. */
const processOf = ({ child }) => Number(execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }));

function inside(pid, command) {
  return execFileSync('nsenter', ['--target', String(pid), '--mount', '--pid', '--root', '--wd', ...command], {
    encoding: 'utf8',
  });
}

const json = async (url, init) => (await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) })).json();
const query = async (expression) =>
  (await json(`${PROMETHEUS}/api/v1/query?query=${encodeURIComponent(expression)}`)).data?.result;

async function theImage() {
  const [, ...rest] = config.Cmd;
  // Peers beside it, so that windows have something to judge.
  const args = ['start', ...rest, '--preset', 'micro', '--window', '20', '--peers', '2'];
  const began = Date.now();
  const running = container(args);
  running.child.once('exit', (code) => {
    if (running.leaves) return;
    console.error(`it ended with ${code}:\n${running.output.text}`);
    process.exit(1);
  });
  await until('an answer of /readyz', async () => (await fetch(`${VALIDATOR}/readyz`)).ok);
  check('/readyz answers', true, `${((Date.now() - began) / 1000).toFixed(1)} s after the start of a new run`);
  const pid = processOf(running);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const says = (name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)[1];
  check(
    'nobody is root',
    says('Uid')
      .split('\t')
      .every((id) => id === '1000'),
    `uid ${says('Uid').split('\t')[0]}`,
  );
  check(
    'without capabilities',
    ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'].every((set) => Number(`0x${says(set)}`) === 0),
  );
  check('without new privileges', says('NoNewPrivs') === '1');
  check('it is process 1', says('NSpid').split('\t').at(-1) === '1');
  const mounts = readFileSync(`/proc/${pid}/mounts`, 'utf8').split('\n');
  check(
    'the root file system is read-only',
    mounts.some((line) => / \/ \S+ ro[, ]/.test(line)),
  );
  const [kind, ...healthCheck] = config.Healthcheck.Test;
  inside(pid, kind === 'CMD-SHELL' ? ['sh', '-c', ...healthCheck] : healthCheck);
  check('the health check passes', true, healthCheck.join(' ').slice(0, 60));
  const worked = await until('a window with contributions', async () => {
    const windows = await json(`${VALIDATOR}/v1/windows?from=1&limit=100`);
    return windows.find(({ participants }) => participants > 0);
  });
  check('windows are published', true, `${worked.participants} contributions in window ${worked.window}`);
  const page = await fetch(`${VALIDATOR}/`);
  check('the page is served', page.ok && (await page.text()).includes('<script'));
  const memory = Number(says('VmHWM').replace(/\D/g, ''));
  check('memory', true, `at most ${Math.round(memory / 1024)} MiB until it was ready`);
  return { running, pid };
}

async function prometheus() {
  const file = join(work, 'prometheus.yml');
  const rules = join(import.meta.dirname, 'alerts.yaml');
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, evaluation_interval: 2s }
rule_files: [${rules}]
scrape_configs: [{ job_name: gauntlet, static_configs: [{ targets: ['127.0.0.1:8899'] }] }]`,
  );
  const { output } = start('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(work, 'prometheus')}`,
    '--web.listen-address=127.0.0.1:9090',
  ]);
  await until('a scrape', async () => (await query('up'))[0].value[1] === '1').catch((error) => {
    console.error(output.text);
    throw error;
  });
  const first = Number((await query('gauntlet_window'))[0].value[1]);
  await until('two more windows in it', async () => Number((await query('gauntlet_window'))[0].value[1]) >= first + 2);
  const { panels } = JSON.parse(readFileSync(join(import.meta.dirname, 'grafana-dashboard.json'), 'utf8'));
  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const result = await query(expr.replaceAll('$run', '.+'));
      // This run hangs on no chain, refuses nothing, and has no database where evaluators could find it.
      const mayBeEmpty = /gauntlet_(?:chain|evaluator|evaluation_jobs)|refused/.test(expr);
      check(`panel ‘${title}’`, result && (result.length > 0 || mayBeEmpty), result?.[0]?.value[1] ?? 'no data');
    }
  }
  const { data: found } = await json(`${PROMETHEUS}/api/v1/rules`);
  const alerts = found.groups.flatMap(({ rules: list }) => list);
  check('alerts are evaluated', alerts.length > 0 && alerts.every(({ health }) => health === 'ok'), `${alerts.length}`);
  const firing = alerts.filter(({ state }) => state !== 'inactive').map(({ name }) => name);
  check('none fires', firing.length === 0, firing.join(', '));
}

/** Over HTTPS, trusting the authority that Caddy made for itself alone. */
function ask(ca, path, { method = 'GET', body, onPart } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(`https://localhost${path}`, { ca, method, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += part;
        if (onPart?.(text)) answer.destroy();
      });
      answer.on('close', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function caddy() {
  const hosts = join(work, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost api\n');
  const file = join(import.meta.dirname, 'Caddyfile');
  const { output } = start('unshare', ['--mount', 'sh', '-c',
    `mount --bind ${quoted(hosts)} /etc/hosts && exec caddy run --adapter caddyfile --config ${quoted(file)}`], {
    env: { ...process.env, SITE: 'https://localhost', XDG_DATA_HOME: work, XDG_CONFIG_HOME: work, HOME: work },
  }); // prettier-ignore
  const authority = join(work, 'caddy/pki/authorities/local/root.crt');
  const ca = await until('its authority', async () => readFileSync(authority)).catch((error) => {
    console.error(output.text);
    throw error;
  });
  await until('an answer over HTTPS', async () => (await ask(ca, '/healthz')).status === 200).catch((error) => {
    console.error(output.text);
    throw error;
  });
  check('HTTPS answers', true);
  for (const path of ['/metrics', '/readyz', '/metrics/', '//metrics', '/%6detrics', '/METRICS', '/v1/../metrics']) {
    const { status, text } = await ask(ca, path);
    check(`${path} tells nothing`, !/gauntlet_window|"ready"/.test(text) && !text.includes('process_cpu'), `${status}`);
  }
  const plain = await fetch('http://localhost/', { redirect: 'manual' });
  check('HTTP leads to HTTPS', plain.status === 308 && plain.headers.get('location') === 'https://localhost/');
  let parts = 0;
  const news = await ask(ca, '/v1/events', { onPart: (text) => ++parts > 0 && text.includes('event: window') });
  check(
    'news come as they happen',
    news.headers['content-type'].startsWith('text/event-stream') && parts > 1,
    `${parts} parts`,
  );
  const big = await ask(ca, `/v1/uploads/${'0'.repeat(64)}`, { method: 'PUT', body: Buffer.alloc(UPLOAD_BYTES) }).catch(
    (error) => ({ status: error.code }),
  );
  check(
    'a large upload gets the validator’s own answer',
    /problem\+json/.test(big.headers?.['content-type']),
    `${big.status}`,
  );
  const headers = (await ask(ca, '/')).headers;
  const isolated = headers['cross-origin-opener-policy'] === 'same-origin' && headers['cross-origin-embedder-policy'];
  check('the page is isolated behind it', Boolean(isolated));
}

async function stops({ running, pid }) {
  running.leaves = true;
  const ended = new Promise((resolve) => running.child.once('exit', (code, signal) => resolve(code ?? signal)));
  const temporary = inside(pid, ['ls', '/tmp']).trim().split('\n');
  check('in /tmp', true, temporary.join(', '));
  const began = Date.now();
  process.kill(pid, 'SIGTERM');
  const code = await ended;
  check('SIGTERM ends it cleanly', code === 0, `${code} after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  check('in /data', true, readdirSync(data).join(', '));
  check('nothing else was written to', !/EROFS|EACCES|read-only/i.test(running.output.text));
  const again = container(config.Cmd);
  running.again = again;
  await until('the same run', async () => (await fetch(`${VALIDATOR}/readyz`)).ok);
  const { window } = await json(`${VALIDATOR}/v1/clock`);
  check('another container goes on with its volume', window > 4, `window ${window}`);
  const stopped = new Promise((resolve) => again.child.once('exit', resolve));
  process.kill(processOf(again), 'SIGTERM');
  check('and stops', (await stopped) === 0);
}

try {
  const image = await theImage();
  await prometheus();
  await caddy();
  await stops(image);
  done = true;
} finally {
  // Also when something did not come about at all.
  if (failures > 0 || !done) for (const { text } of outputs) console.error(text.slice(-2_000));
  for (const child of started) child.kill('SIGKILL');
}
console.log(failures === 0 ? 'All of it works.' : `${failures} checks failed.`);
process.exitCode = failures === 0 ? 0 : 1;
