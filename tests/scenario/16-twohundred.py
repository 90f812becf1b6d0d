"""Two hundred held mails of eight causes, decided in a real browser by keyboard alone, against a key of what is
right.  Who decides sees nothing but the page: what it says is read, as a reviewer would read it.  Pictures
of the pages are kept in $MISSENT_SHOTS, or in the build folder."""
import urllib.parse

from twohundred import *

tap = Tap()
why = missing() if os.geteuid() == 0 else 'Postfix starts only as root'
if why:
    tap.skip('two hundred mails by keyboard', why)
    tap.done()
S = scratch_folder()
SHOTS = os.environ.get('MISSENT_SHOTS', os.environ.get('BUILD', BUILD) + '/shots')
os.makedirs(SHOTS, exist_ok=True)
REASONS = ['Daten eines anderen Kunden', 'Falsches Dokument', 'Absender gefragt', 'Kunde gefragt', 'Adresse stimmt', 'Sonstiges']
with open(S + '/reasons', 'w') as f:
    f.write('\n'.join(REASONS))
w = World(S, page='reasons-file = "%s/reasons"\n' % S)
tap.ok(w.send(), 'two hundred mails are held', w.m.tool('held', 'stats'))
w.start()
ESCAPE = '\ue00c'
pressed = 0


def keys(b, *names):
    global pressed
    pressed += len(names)
    b.keys(*names)


def record(name):
    return json.loads(w.m.tool('held', 'show', '--json', name))


def log_in(b):
    b.go(w.site + '/login')
    wait_for(lambda: b.script('return document.activeElement.name') == 'name')
    keys(b, *'anna', TAB, *"anna's-password", ENTER)
    wait_for(lambda: b.url == w.site + '/')


def after(b, *names):
    """Keys that lead to another page: waits for it."""
    before = b.find('html')
    keys(b, *names)
    if not b.left(before):
        raise RuntimeError('%r led nowhere from %s\n%s' % (names, b.url, b.text))


def picture(b, name):
    """What is seen without scrolling."""
    shot = b.call('POST', '/goog/cdp/execute', {'cmd': 'Page.captureScreenshot', 'params': {'format': 'png'}})
    with open('%s/%s.png' % (SHOTS, name), 'wb') as f:
        f.write(base64.b64decode(shot['data']))


def on_screen(b, css):
    """Is it wholly in what is seen first?"""
    return b.script('''const e = document.querySelector(arguments[0]); if (!e) return null;
const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth''', css)


NAMELESS = '''const bad = [];
for (const e of document.querySelectorAll("main input, main select, main textarea, main button, main a")) {
  if (e.type === "hidden" || e.hidden) continue;  // neither is read out
  const name = e.getAttribute("aria-label") || (e.labels && Array.from(e.labels).map(x => x.innerText).join("")) || e.innerText || e.title;
  if (!name || !name.trim()) bad.push(e.outerHTML.slice(0, 80));
}
if (document.querySelectorAll("h1").length !== 1) bad.push("h1");
for (const id of ["main"]) if (!document.getElementById(id)) bad.push(id);
return bad'''
CONTRAST = '''const lum = c => { const v = c.match(/[0-9.]+/g).slice(0, 3).map(x => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4 });
  return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2] };
const under = e => { for (; e; e = e.parentElement) { const b = getComputedStyle(e).backgroundColor; if (!/, 0[)]$|transparent/.test(b)) return b } return "rgb(255, 255, 255)" };
const bad = new Set();
for (const e of document.querySelectorAll("body *")) {
  if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim()) || !e.offsetParent || e.tagName === "OPTION") continue;
  const a = lum(getComputedStyle(e).color), b = lum(under(e)), r = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (r < 4.5) bad.add(e.tagName + "." + e.className + " " + r.toFixed(2));
}
return Array.from(bad)'''

# ---- pictures, in each language, dark, on a phone ----
anna = Browser()
log_in(anna)
pages = {'list': '/', 'causes': '/causes'}
anna.go(w.site + '/causes')
links = {x.text: x.attribute('href') for x in anna.all('.list a.go')}
tap.same(len(links), 8, 'eight causes')
pages['cause'] = next(v for k, v in links.items() if 'billing' in k and 'another\'s data' in k and 'may have it' not in k
                      and 'not known' not in k)
anna.go(w.site + '/?state=held&reason=mismatch')
pages['message'] = anna.find('.list a.go').attribute('href')
for language in ('en', 'fr', 'de'):
    anna.go(w.site + '/language?to=' + language)
    for name, path in pages.items():
        anna.go(w.site + path)
        picture(anna, '%s-%s' % (language, name))
        if language == 'en':
            tap.same(anna.script(NAMELESS), [], 'everything has a name for who does not see it: ' + name)
            tap.same(anna.script(CONTRAST), [], 'and contrast enough: ' + name)
        if name == 'message':
            tap.ok(on_screen(anna, '.act .buttons') and on_screen(anna, '.act .sentence'),
                   'the decision is on the first screen: ' + language)
        if language != 'en':
            text = re.sub(r'\b(Service notice|Invoice|Reminder|Contract|Price list|Your documents|customer|overdue|for|is|on)\b', '',
                          anna.find('main').text)
            tap.ok(not re.search(r'\b(Release|Return|Delete|Reason|Recipients?|held|account|found|belongs|another|policy|where|'
                                 r'identifiers?|nothing|data|would|may|part|field|header|number)\b', text),
                   'nothing is left in English: %s, %s' % (language, name), text)
anna.go(w.site + '/language?to=en')
dark = lambda on: anna.call('POST', '/goog/cdp/execute', {'cmd': 'Emulation.setEmulatedMedia', 'params': {
    'features': [{'name': 'prefers-color-scheme', 'value': 'dark' if on else 'light'}]}})
dark(True)
for name, path in pages.items():
    anna.go(w.site + path)
    picture(anna, 'dark-' + name)
    tap.same(anna.script(CONTRAST), [], 'contrast enough in the dark: ' + name)
dark(False)
anna.size(390, 844)
for name, path in pages.items():
    anna.go(w.site + path)
    picture(anna, 'phone-' + name)
    tap.ok(anna.script('return document.documentElement.scrollWidth') <= 390, 'on a phone nothing is wider than it: ' + name)
    if name in ('cause', 'message'):
        tap.ok(on_screen(anna, 'form.decide .sentence') and on_screen(anna, 'form.decide button[name=verb]'),
               '... and the decision is on its first screen: ' + name)
anna.size(1280, 900)
anna.go(w.site + '/')
keys(anna, '?')
tap.ok(anna.find('#help').text.count('\n') > 20, 'the keys are shown', anna.find('#help').text)
picture(anna, 'keys')
keys(anna, ESCAPE)

# ---- what is not told ----
for path in ('/', '/causes', pages['cause'], pages['message']):
    anna.go(w.site + path)
    tap.ok(not re.search(r'K-7\d{4}|V-31\d{4}|Hauptstr', anna.source), 'no name and no number in clear on ' + path[:10], path)
swapped_id = next(k for k, v in w.keys.items() if v[0] == 'swapped')
for words, name in ((w.keys[swapped_id][2].split()[1], 'a subject\'s word'), (w.keys[swapped_id][2].split()[-1], 'a customer\'s number')):
    anna.go(w.site + '/?' + urllib.parse.urlencode({'search': words}))
    tap.ok(swapped_id in anna.text, 'found by %s, which the page never has' % name, anna.text[:2000])
anna.go(w.site + '/?search=CUST0205')
tap.ok(len(anna.all('.list tbody tr')) > 20, 'found by an account')
anna.go(w.site + '/?search=nobody-has-this')
tap.same(len(anna.all('.list tbody tr')), 0, 'what nobody has is not found')

# ---- the decisions ----
pressed, begun = 0, time.monotonic()
anna.go(w.site + '/')


def reload_until(what):
    """F5, as often as it takes."""
    global pressed
    end = time.monotonic() + 60 * (SLOW + PATIENCE)
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.3)
        pressed += 1
        anna.go(anna.url)
    raise RuntimeError('never: ' + anna.text)


def decide_group():
    """On the page of a cause: reads it, and decides as the house's rules say.  What was done, in a word;
    None for what is looked at singly, 'nothing' where it is just being carried out."""
    if not anna.all('.decide .sentence'):
        return 'nothing'
    text = anna.find('h1.cause').text
    sentences = ' '.join(x.text for x in anna.all('.decide .sentence'))
    if 'Releasing sends' in sentences and 'may have it' in text:
        after(anna, 'i', '1')  # those with a right get theirs
        return 'right'
    if 'Releasing sends' in sentences:
        after(anna, 'b', '1')
        return 'return'
    if 'does not know' in sentences:
        keys(anna, 'j')
        after(anna, ENTER)
        after(anna, 'm')       # the account that was found stands there already
        reload_until(lambda: re.search('These 25 could now go', anna.text))
        after(anna, 'o')
        reload_until(lambda: 'still to be judged' not in anna.text)
        after(anna, 'r', '5')
        return 'corrected'
    if 'too many recipients' in text:
        after(anna, 'b', '6')
        return 'return'
    if 'nothing proven' in text and 'Service notice' in anna.find('.list').text:
        after(anna, 'r', '3')
        return 'release'
    cause = urllib.parse.unquote(anna.url)
    # What is neither is a cause of which the messages are just being carried out.
    return None if 'unreadable' in cause or 'exposed-recipients' in cause else 'nothing'


def all_listed():
    """Has the list of causes all that is held, so that nothing is just being carried out?"""
    listed = sum(int(x.text) for x in anna.all('.list tbody tr td:first-child'))
    return listed == json.loads(w.m.tool('held', 'stats', '--json'))['held']


def to_decide():
    """Where on the page of causes the first one is that is not looked at singly; None: there is none."""
    links = [x.attribute('href') for x in anna.all('.list a.go')]
    return next((i for i, x in enumerate(links) if x not in singly), None)


done, singly, enough = [], set(), time.monotonic() + 120 * (SLOW + PATIENCE)
while len(done) < 20 and time.monotonic() < enough:
    after(anna, 'c')
    if to_decide() is None:
        reload_until(all_listed)  # what is being done may leave something to decide
    at = to_decide()
    if at is None:
        break
    links = [x.attribute('href') for x in anna.all('.list a.go')]
    for _ in range(at + 1):
        keys(anna, 'j')
    after(anna, ENTER)
    what = decide_group()
    if what == 'nothing':
        time.sleep(0.5)
        continue
    if what is None:
        singly.add(links[at])
    done.append(what)
    print('# %s: %s' % (done[-1], anna.find('main').text.split('\n')[0][:80]), flush=True)
tap.ok(done.count(None) == 2 and set(done) == {None, 'right', 'return', 'corrected', 'release'} and len(done) >= 9,
       'six causes are decided as one each, and the rest of one that was split', done)
# One by one: what cannot be read is looked at singly; after each the next one appears.
anna.go(w.site + '/?state=held&reason=unreadable')
keys(anna, 'j')
after(anna, ENTER)
singles = 0
while '/message/' in anna.url and singles < 60:
    if 'unread' not in anna.find('.reasons').text:
        break
    after(anna, 'b', '2')
    singles += 1
tap.same(singles, 20, 'twenty are decided one by one, the next one appearing by itself')
# Chosen in the list.
anna.go(w.site + '/?state=held&reason=exposed-recipients')
for _ in range(3):
    keys(anna, 'j', 'x')
tap.same(anna.find('[data-chosen]').text, '3', 'chosen with x')
after(anna, 'b', '1')
anna.go(w.site + '/?state=held&reason=exposed-recipients')
keys(anna, '*')
after(anna, 'b', '1')
took = time.monotonic() - begun
tap.ok(wait_for(lambda: json.loads(w.m.tool('held', 'stats', '--json'))['held'] == 0, 60), 'all are decided',
       w.m.tool('held', 'causes'))
print('# %d mails decided in %.0f s with %d keys' % (TOTAL, took, pressed), flush=True)

tap.ok(any(a['why'].startswith(REASONS[1]) for a in record(next(k for k, v in w.keys.items() if v[0] == 'locked'))['acts']),
       'the reasons are those of the site\'s file, and on record')

# ---- against the key ----
w.p.flush()
WANT = {'return': 'returned', 'release': 'released', 'right': 'returned'}
wrong = []
for name, (kind, right, subject, sender, to, may) in w.keys.items():
    r = record(name)
    states = {x['address']: x['state'] for x in r['recipients']}
    fine = r['state'] == WANT[right] and all((states[a] == 'released') == (a in may) for a in to)
    if not fine:
        wrong.append((kind, name, r['state'], states))
tap.same([str(x)[:300] for x in wrong[:10]], [], '%d mails decided, 0 wrong' % TOTAL)
expected = sorted((a, v[2]) for v in w.keys.values() for a in v[5])


def arrived():
    got = []
    for path in glob.glob(w.p.dir + '/sink/*'):
        with open(path, errors='replace') as f:
            text = f.read()
        if 'Auto-Submitted' in text:
            continue  # a return, to the sender
        subject = re.search(r'^Subject: (.*)$', text, re.M).group(1)
        got += [(x, subject) for x in re.findall(r'^X-Rcpt-Args: <([^>]*)>', text, re.M)]
    return sorted(got)


wait_for(lambda: len(arrived()) >= len(expected), 40)
tap.same((sorted(set(arrived()) - set(expected)), sorted(set(expected) - set(arrived())), len(arrived())), ([], [], len(expected)), 'what arrives is what may arrive: nobody got what is another\'s')
returned = sum(1 for v in w.keys.values() if v[1] in ('return', 'right'))
told = lambda: sum('Auto-Submitted' in x for x in w.p.delivered())
wait_for(lambda: told() >= returned, 40)
tap.same(told(), returned, 'each sender of what was returned was told')
tap.same([x for x in anna.console() if 'Content Security Policy' in x], [], 'the policy of the page had nothing to stop')
tap.done()
