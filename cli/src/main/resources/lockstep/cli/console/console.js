// Replaces the shown state with the newest: more often while something is running, and only while the page is visible.
const shown = document.querySelector('#overview');
let last = '';
async function renew() {
    if (!document.hidden) {
        try {
            const answer = await fetch('overview', {signal: AbortSignal.timeout(60000)});
            if (!answer.ok) throw new Error(answer.statusText);
            const text = await answer.text();
            document.body.classList.remove('is-lost');
            // do not replace the page while the user selects text to copy
            if (text !== last && document.getSelection().isCollapsed) {
                const open = [...shown.querySelectorAll('details[open]')].map(details => details.id);
                shown.innerHTML = last = text;
                for (const id of open) document.getElementById(id)?.setAttribute('open', '');
            }
        } catch {
            document.body.classList.add('is-lost');
        }
    }
    const running = shown.querySelector('[data-running=yes]');
    setTimeout(renew, running ? 1000 : 2000);
}
setTimeout(renew, 1000);
