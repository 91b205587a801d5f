import { bindActs, say } from './acts.js';
import { showBitbucket } from './view-bitbucket.js';
import { showCalls } from './view-calls.js';
import { showCds, tick } from './view-cds.js';
import { showGuide, showLights } from './view-guide.js';

const refreshActs = bindActs();
let state;
let isLive = false;

/** CDS sends the browser to the page of the project after a link. */
const [, cameBackTo] = /^\/project\/([^/]+)$/.exec(location.pathname) ?? [];
let pendingWord = cameBackTo && {
  project: decodeURIComponent(cameBackTo),
  outcome: new URLSearchParams(location.search).get('linked'),
};
if (cameBackTo) history.replaceState(null, '', '/');

function sayOutcome({ project, outcome }) {
  const isLinked = state.cds.projects.some(({ key, linkedTo }) => key === project && linkedTo);
  if (outcome === 'refused')
    say(`${project} was not linked: access was not granted at Bitbucket.`, true);
  else if (outcome === 'failed' || !isLinked)
    say(`${project} was not linked: see the calls for what vcs or Bitbucket answered.`, true);
  else say(`${project} is linked: Bitbucket gave vcs its tokens.`);
}

function show() {
  if (!state) return;
  showLights(state, isLive);
  showGuide(state);
  showBitbucket(state);
  showCds(state);
  refreshActs();
  if (pendingWord) sayOutcome(pendingWord);
  pendingWord = undefined;
}

const events = new EventSource('/events');
events.addEventListener('state', ({ data }) => {
  state = JSON.parse(data);
  show();
});
events.addEventListener('calls', ({ data }) => showCalls(JSON.parse(data)));
events.addEventListener('open', () => {
  isLive = true;
  show();
});
events.addEventListener('error', () => {
  isLive = false;
  show();
});
document.querySelector('#bb-repo').addEventListener('change', show);
setInterval(tick, 250);
