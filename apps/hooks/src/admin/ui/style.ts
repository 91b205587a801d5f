/** The style of all pages: light or dark as the system is, and narrow screens. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #8c959f; --panel: #f3f5f7;
  --link: #0550ae; --good: #116329; --warn: #7a4100; --bad: #a40e26; --on-button: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161b; --ink: #e6eaef; --quiet: #a3adb8; --line: #6b7682; --panel: #1c232b;
    --link: #7cb8ff; --good: #6fd58a; --warn: #f0b45a; --bad: #ff9aa2; --on-button: #0b1220;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem; }
body > header { background: var(--panel); border-bottom: 1px solid var(--line); }
body > header, main, body > footer { padding: .75rem 1rem; }
header ul {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem;
  list-style: none; margin: 0; padding: 0;
}
header li:last-child { margin-left: auto; }
[aria-current] { font-weight: 700; text-decoration-thickness: .2em; }
main { max-width: 80rem; margin: 0 auto; }
h1 { font-size: 1.6rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h1, h2, td, th, dd, li, p { overflow-wrap: anywhere; }
.search, .actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: start; }
.search > div:last-child { padding-top: 1.5rem; }
.actions { margin: 1rem 0; }
label { display: block; font-weight: 600; }
input {
  font: inherit; padding: .35rem .5rem; width: 100%; min-width: 14rem; max-width: 100%;
  color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 4px;
}
button {
  font: inherit; padding: .35rem .9rem; border-radius: 4px; cursor: pointer;
  color: var(--on-button); background: var(--link); border: 1px solid var(--link);
}
button.quiet { color: var(--link); background: transparent; }
button.bad { background: var(--bad); border-color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--quiet); padding: .25rem 0; }
th, td {
  text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
}
tbody th, td { min-width: 9rem; }
thead th { overflow-wrap: normal; }
time { white-space: nowrap; }
.scroll time { overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
pre {
  background: var(--panel); border: 1px solid var(--line); border-radius: 4px;
  padding: .75rem; overflow: auto; max-height: 40rem;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
code { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
.note { background: var(--panel); border-left: 4px solid var(--link); padding: .6rem .9rem; }
.note.bad { border-color: var(--bad); }
.good { color: var(--good); }
.warn { color: var(--warn); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
button.bad { color: var(--on-button); }
.quiet, body > footer { color: var(--quiet); }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; }
  dt { margin-top: .5rem; }
  header li:last-child { margin-left: 0; }
  .search > div { width: 100%; }
  .search > div:last-child { padding-top: 0; }
}
`;
