/** An element with attributes and children; text is text, never markup. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Sets the text where it differs, so that nothing flickers and nothing is read out twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

const known = new WeakMap();

/**
 * Brings the children of `parent` in line with `items`. A node stays the same for as long as its
 * key is there, and is not moved for the sake of others: focus, selection and what was typed stay
 * where they are.
 */
export function keyed(parent, items, key, make, update) {
  const before = known.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const name = key(item);
    after.set(name, before.get(name) ?? make(item));
  }
  for (const [name, node] of before) if (!after.has(name)) node.remove();
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const node = after.get(key(item));
    update(node, item);
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  known.set(parent, after);
}

/** A node that shows some texts in spans of these classes. */
export function row(tag, ...classes) {
  const node = el(tag);
  node.cells = Object.fromEntries(classes.map((name) => [name, el('span', { class: name })]));
  node.append(...Object.values(node.cells));
  return node;
}

export function chip(node, text, kind) {
  setText(node, text);
  setClass(node, `chip ${kind}`);
}

const GOOD = ['SUCCESSFUL', 'Success', 'OPEN', 'MERGED', 'up', 'signed', 'linked'];
const BAD = ['FAILED', 'Fail', 'STOPPED', 'away', 'unsigned', 'failed'];

/** How a status is coloured. */
export function kindOf(status) {
  if (typeof status === 'number') return status < 300 ? 'good' : status < 400 ? 'busy' : 'bad';
  if (GOOD.includes(status)) return 'good';
  if (BAD.includes(status)) return 'bad';
  return ['INPROGRESS', 'Building', 'Pending'].includes(status) ? 'busy' : 'plain';
}

export function clock(iso, withMs = false) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  const text = date.toTimeString().slice(0, 8);
  return withMs ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}
