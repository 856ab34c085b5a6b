// Looks up while one types. Without this script the button "Look up" does the same.
for (const box of document.querySelectorAll('[data-look-up]')) {
    const words = box.querySelector('input[type=search]');
    const choices = box.querySelector('.choices');
    let waiting, asked;
    words.addEventListener('input', () => {
        clearTimeout(waiting);
        waiting = setTimeout(async () => {
            asked?.abort();
            asked = new AbortController();
            try {
                const answer = await fetch(box.dataset.lookUp + '?q=' + encodeURIComponent(words.value), {signal: asked.signal, redirect: 'error'});
                if (!answer.ok) return;
                const chosen = choices.querySelector('input:checked');
                choices.innerHTML = await answer.text();
                if (!chosen) return;
                const again = [...choices.querySelectorAll('input')].find(input => input.value === chosen.value);
                if (again) again.checked = true;
                else choices.prepend(chosen.closest('label'));
            } catch {
                // a newer question took its place, or there is no network: the button is still there
            }
        }, 250);
    });
}
