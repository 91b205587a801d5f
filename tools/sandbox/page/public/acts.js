import { curlLine } from './curl.js';
import { el, setText } from './dom.js';

const result = document.querySelector('#result');

/** Says what came of something. */
export function say(sentence, isBad = false) {
  result.classList.toggle('bad', isBad);
  setText(result, sentence);
}

/** `$id` is what stands in that field. */
function filled(body) {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === 'string' && value.startsWith('$')
        ? (document.querySelector(`#${value.slice(1)}`)?.value ?? '')
        : value,
    ]),
  );
}

/** What the answer of an action means for a person. */
function meaning(label, answer) {
  const deliveries = answer.deliveries ?? (answer.attempts ? [answer] : undefined);
  if (deliveries) {
    if (deliveries.length === 0)
      return `${label}: done; the repository has no webhook that is told.`;
    const outcomes = deliveries.map(({ attempts }) => attempts.at(-1)?.outcome ?? 'not sent');
    return `${label}: done; hooks answered ${outcomes.join(', ')}.`;
  }
  if (typeof answer.signature === 'string') return `${label}: hooks answered ${answer.status}.`;
  if (answer.date_scheduled_execution) return `${label}: it is due now.`;
  return `${label}: done.`;
}

async function perform({ action, label, body, then }) {
  say(`${label} …`);
  try {
    const response = await fetch(`/${action}`, { method: 'POST', body: JSON.stringify(body()) });
    const answer = await response.json();
    if (!response.ok) {
      say(`${label}: ${answer.error ?? response.status}`, true);
    } else if (then === 'open' && answer.url) {
      say(`${label}: Bitbucket asks for your consent …`);
      location.assign(answer.url);
    } else {
      say(meaning(label, answer));
    }
  } catch {
    say(`${label}: the sandbox does not answer. Is npm start still running?`, true);
  }
}

async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    say('Copied: paste it into a shell.');
  } catch {
    getSelection()?.selectAllChildren(code);
    say('Selected: copy it with your keyboard.');
  }
}

/**
 * A button, and beside it the line of curl that does the same; by the action `curl` where the
 * button leads elsewhere.
 */
export function act({ action, label, body, then = '', name = label, curl = action }) {
  const button = el('button', { type: 'button' }, label);
  if (name !== label) button.setAttribute('aria-label', name);
  const code = el('code', { tabindex: '0', 'aria-label': `${name}, as a line of curl` });
  const copier = el(
    'button',
    {
      type: 'button',
      class: 'copy',
      'aria-label': `Copy the line of curl: ${name}`,
      title: 'Copy',
    },
    'Copy',
  );
  const line = () => curlLine(location.origin, curl, body());
  const node = el('div', { class: 'act' }, button, code, copier);
  node.refresh = () => setText(code, line());
  node.refresh();
  button.addEventListener('click', () => perform({ action, label: name, body, then }));
  copier.addEventListener('click', () => copy(line(), code));
  return node;
}

/** Makes the actions that stand in the page's own HTML. */
export function bindActs() {
  const made = [...document.querySelectorAll('.act[data-action]')].map((place) => {
    const template = JSON.parse(place.dataset.body);
    const node = act({
      action: place.dataset.action,
      label: place.textContent.trim(),
      body: () => filled(template),
      then: place.dataset.then,
      curl: place.dataset.curl,
    });
    node.classList.toggle('primary', place.classList.contains('primary'));
    place.replaceWith(node);
    return node;
  });
  const refresh = () => made.forEach((node) => node.refresh());
  for (const form of document.querySelectorAll('form.inputs')) {
    form.addEventListener('input', refresh);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      form.parentElement.querySelector('.act button')?.click();
    });
  }
  return refresh;
}
