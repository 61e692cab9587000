// The clock's page: two clocks that tick by two ways, and a box to talk into the WebSocket.
import { html, renderPage } from './html.ts';
import type { RenderedPage } from './html.ts';

const style = `
.clocks{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1.25rem}
.clocks .card{margin:0}
time{display:block;font:600 clamp(2.1rem,9vw,3rem)/1.15 var(--mono);font-variant-numeric:tabular-nums;letter-spacing:-.03em;margin:.25rem 0 .5rem}
.state::before{content:"";display:inline-block;width:.6rem;height:.6rem;border-radius:50%;background:var(--muted);margin-right:.5rem}
.state.open::before{background:var(--good)}.state.closed::before{background:var(--bad)}
form{display:flex;gap:.6rem;margin-bottom:.75rem}
form input{flex:1;min-width:0}
ol{list-style:none;margin:0;padding:0;display:grid;gap:.5rem}
ol:empty{display:none}
li{border-top:1px solid var(--line);padding-top:.5rem;overflow-wrap:anywhere}
`;

const script = `
const byId = (id) => document.getElementById(id);
const show = (id, state, text) => { byId(id).className = 'state ' + state; byId(id).textContent = text; };
const setTime = (id, now) => { byId(id).textContent = new Date(now).toLocaleTimeString([], { hour12: false }); byId(id).dateTime = now; };

const events = new EventSource('/events');
events.onopen = () => show('events-state', 'open', 'open');
events.onerror = () => show('events-state', 'closed', events.readyState === EventSource.CLOSED ? 'closed for good: reload the page' : 'closed, trying again');
events.addEventListener('tick', (event) => setTime('events-time', JSON.parse(event.data).now));

let socket;
const connect = () => {
  socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/socket');
  socket.onopen = () => show('socket-state', 'open', 'open');
  socket.onclose = (event) => { show('socket-state', 'closed', 'closed (' + event.code + '), trying again'); setTimeout(connect, 2000); };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === 'tick') return setTime('socket-time', message.now);
    const line = document.createElement('li');
    const who = document.createElement('strong');
    who.textContent = message.identity ? message.identity.email || message.identity.user : 'nobody';
    line.append(who, ': ' + message.text);
    byId('said').prepend(line);
    while (byId('said').childElementCount > 20) byId('said').lastElementChild.remove();
  };
};
connect();
byId('say').addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN || byId('text').value === '') return;
  socket.send(byId('text').value);
  byId('text').value = '';
});
`;

export function clockPage(): RenderedPage {
  return renderPage({
    title: 'Clock',
    brand: { name: 'Clock', light: '#b3500b', dark: '#ffb070' },
    style,
    script,
    body: html`<h1>Two clocks</h1>
      <p class="muted">
        Both tick for as long as you may be here. End your session elsewhere, and both stop within a second.
      </p>
      <div class="clocks">
        <section class="card">
          <h2>Server-sent events</h2>
          <time id="events-time">––:––:––</time><span id="events-state" class="state">connecting</span>
        </section>
        <section class="card">
          <h2>WebSocket</h2>
          <time id="socket-time">––:––:––</time><span id="socket-state" class="state">connecting</span>
        </section>
      </div>
      <section class="card">
        <h2>Say something into the WebSocket</h2>
        <form id="say">
          <input id="text" aria-label="Message" placeholder="Hello" maxlength="500" autocomplete="off" />
          <button class="primary">Send</button>
        </form>
        <p class="muted">It comes back with the name that the application saw when the WebSocket was opened.</p>
        <ol id="said" aria-live="polite"></ol>
      </section>
      <nav><a href="/.sallyport/">Who am I?</a><a href="/.sallyport/sign-out">Sign out</a></nav>`,
  });
}
