"""The review page in a real browser, before a real Postfix: who sees what, who may do what, and what
arrives at the sink.  Pictures of the pages are kept in $MISSENT_SHOTS, if that is set.
The two of the README are made anew with MISSENT_PICTURES=contrib/pictures."""
import re
import sqlite3
import threading
import urllib.parse

import rig
from browser import *

tap = Tap()
why = missing() if os.geteuid() == 0 else 'Postfix starts only as root'
if why:
    tap.skip('the review page in a browser', why)
    tap.done()
S = scratch_folder()
SHOTS = os.environ.get('MISSENT_SHOTS', S + '/shots')
PICTURES = os.environ.get('MISSENT_PICTURES', SHOTS)
os.makedirs(SHOTS, exist_ok=True)
os.makedirs(PICTURES, exist_ok=True)
XSS = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
m = Missent(S, policies=POLICY + '''
policy "careful" {
	sender = {"careful@seller.example"}
	kinds = {"customer-number"}
}
''', mapping=MAPPING)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
PORT = free_port()
SITE = 'http://127.0.0.1:%d' % PORT
PAGE = 'listen = "127.0.0.1:%d"\nuser = "daemon"\n%s'


def configure(page='', desk='', port=None):
    m.more = p.settings() + p.desk('socket-group = "daemon"\n' + desk, port) + 'review {\n%s\n}\n' % (PAGE % (PORT, page))
    m.write_conf()


def run(*command):
    subprocess.run(command, check=True)


def hold(subject, body=WRONG, to=('kunde@alpha.example',), sender='billing@seller.example', **more):
    r = p.send(message(subject, body, sender=sender, **more), to=to, sender=sender)
    name = queue_id(r)
    wait_for(lambda: name in p.held())
    return name


def adduser(name, *options):
    m.tool('review', 'adduser', name, *options, stdin=name + "'s-password\n")


def log_in(b, name):
    b.go(SITE + '/login')
    b.forget()
    b.go(SITE + '/login')
    b.find('input[name=name]').type(name)
    b.find('input[name=password]').type(name + "'s-password")
    b.press('main button')


def record(name):
    return json.loads(m.tool('held', 'show', '--json', name))


def events(word):
    return [x for x in m.audit(events=True) if x.get('event') == word]


def http(path, method='GET', data=None, **headers):
    """Without a browser: (status, headers, text)."""
    request = urllib.request.Request(SITE + path, data, method=method,
                                     headers={k.replace('_', '-'): v for k, v in headers.items()})

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args):
            return None
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=30) as reply:
            return reply.status, reply.headers, reply.read().decode(errors='replace')
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode(errors='replace')


def comes_back(words, name):
    b.call('POST', '/back', {})
    tap.ok(wait_for(lambda: words in b.text, 5), name, b.text)


def cookie(b):
    return 'missent=' + [c['value'] for c in b.cookies() if c['name'] == 'missent'][0]


# ---- who may start it, and where it listens ----
configure()
page = Program(m, 'missent-review')
# The page's user reads the records, through its group, and nothing else of what missent keeps.
run('chgrp', 'daemon', m.state)
os.chmod(m.state, 0o750)
subprocess.run('chgrp daemon %s/held.db*' % m.state, shell=True)


def refused(page_settings, word, name):
    with open(m.conf) as f:
        before = f.read()
    configure(page_settings)
    done = subprocess.run([BUILD + '/missent-review', '-c', m.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=30)
    tap.ok(done.returncode == 78 and word in done.stdout, name, done.stdout)
    with open(m.conf, 'w') as f:
        f.write(before)


agent = Program(m, 'missent-agent', '-r').start()
refused('', 'missent review adduser', 'without an account the page does not start')
PAGE = 'listen = "0.0.0.0:%d"\nuser = "daemon"\n%s'
refused('', 'tls-certificate', 'nor on another address than loopback without TLS')
PAGE = 'listen = "127.0.0.1:%d"\nuser = "daemon"\n%s'
for who, more in (('anna', ()), ('bert', ()), ('vera', ('--role', 'viewer')),
                  ('carla', ('--role', 'administrator')), ('dora', ('--download',))):
    adduser(who, *more)
first = [hold('invoice %d' % i) for i in range(3)]
page.start()
allowed = subprocess.run(['setpriv', '--reuid', 'daemon', '--regid', 'daemon', '--init-groups', 'sh', '-c',
                          'cat %s/site.key || ls %s/spool || ls %s/agent || cat %s/held.db >/dev/null && echo records' %
                          (m.dir, m.state, m.state, m.state)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
tap.same(allowed.stdout.strip(), 'records', 'the page\'s user can read records, not the site key, not the spool, not the accounts')

# ---- logging in ----
status, headers, text = http('/')
tap.ok(status == 303 and headers['Location'] == '/login', 'without a session: to the log-in', status)
tap.ok("default-src 'none'" in headers['Content-Security-Policy'] and 'unsafe' not in
       headers['Content-Security-Policy'] and headers['X-Content-Type-Options'] == 'nosniff' and
       headers['X-Frame-Options'] == 'DENY' and headers['Cache-Control'] == 'no-store', 'security headers', headers)
b = Browser()
b.go(SITE + '/')
tap.ok(b.url.endswith('/login'), 'the browser too')
b.picture(SHOTS + '/login.png')
b.find('input[name=name]').type('anna')
b.find('input[name=password]').type('wrong')
b.press('main button')
tap.ok('wrong' in b.text, 'a wrong password is told', b.text)
log_in(b, 'anna')
tap.ok(b.url == SITE + '/' and 'Held mail' in b.text, 'the right one lets in', b.text)
tap.ok(len(events('failed log-in')) == 1 and len(events('log-in')) == 1, 'both are on the audit trail')
c = [c for c in b.cookies() if c['name'] == 'missent'][0]
tap.ok(c['httpOnly'] and c['sameSite'] == 'Strict', 'the cookie is HttpOnly and SameSite=Strict', c)
with open(m.state + '/agent/accounts.db-wal', 'rb') as f:
    kept = f.read()
tap.ok(c['value'].encode() not in kept and b'argon2id' in kept, 'sessions and passwords are kept hashed')

# ---- the list ----
special = hold('special', to=['kunde@alpha.example', 'x@gamma.example', 'xss%s@gamma.example' % 'q'])
b.go(SITE + '/')
tap.same(len(b.all('.list tbody tr')), 4, 'the list has what is held')
tap.ok('4 held' in b.find('#counter').text, 'the counter', b.find('#counter').text)
b.picture(SHOTS + '/list.png')
b.small(PICTURES + '/page-list.png')
b.find('input[name=search]').type('xssq@')
b.press('.filters button')
tap.ok(len(b.all('.list tbody tr')) == 1 and special in b.text, 'search by a part of a recipient')
b.go(SITE + '/?search=' + first[0])
tap.ok(len(b.all('.list tbody tr')) == 1 and first[0] in b.text, '... by queue ID')
for query, n in (('account=AC-2', 4), ('account=AC-9', 0), ('reason=mismatch', 4), ('reason=oversized', 0),
                 ('age=1h', 4), ('age=older7d', 0), ('state=released', 0), ('search=billing', 4),
                 ("search=%27%20OR%201%3D1", 0)):
    b.go(SITE + '/?' + query)
    tap.same(len(b.all('.list tbody tr')), n, 'filter ' + query)
b.go(SITE + '/?state=released')
tap.same(b.find('h1').text, 'Messages: released 0', 'what is not held any more is not called so')
more = hold('counted')
b.go(SITE + '/')
later = hold('counted later')
b.script("document.hidden = false")
tap.ok(wait_for(lambda: '6 held' in b.find('#counter').text, 15), 'the counter counts by itself',
       b.find('#counter').text)
m.tool('held', 'delete', more, later)

# ---- a message ----
uid = record(special)['uid']
b.go(SITE + '/message/' + uid)
text = b.text
tap.ok(all(x in text for x in ('Whose is it?', 'Who would have got it?', 'Why do we think so?',
                               'What happens if it is released?')), 'a message answers four questions', text)
tap.ok('AC-2' in text and 'kunde@alpha.example would receive 1 identifier of AC-2' in text, '... with this', text)
tap.ok(not tells(text) and not tells(b.source), '... and nothing in clear')
tap.same(len(b.all('.matrix tbody tr')), 3, 'recipients and identifiers are a table')
tap.ok(any(e['about'] == uid for e in events('look')), 'the look is on the audit trail')
b.picture(SHOTS + '/message.png')
b.small(PICTURES + '/page-message.png')
b.press('button', 'Show in clear')
tap.ok('C-10002' in b.find('#evidence').text and len(b.all('mark')) > 0, 'asked for, it is shown in clear',
       b.find('#evidence').text)
tap.ok('may receive for' in b.find('#evidence .changes').text, '... with what would have to change',
       b.find('#evidence').text)
tap.ok('This look is on record' in b.text and any(e['about'] == uid for e in events('reveal')) and
       any(a['what'] == 'reveal' and a['who'] == 'anna' for a in record(special)['acts']),
       '... which the audit trail and the record tell')
tap.ok(not b.all('#evidence form[action$=part]'), '... without a right to download nothing is offered')
b.picture(SHOTS + '/reveal.png')
csrf = b.find('input[name=token]').attribute('value')
status, _, _ = http('/message/%s/part' % uid, 'POST', ('token=%s&path=1' % csrf).encode(), Cookie=cookie(b))
tap.same(status, 403, '... nor given')

# ---- release to one of three ----
b.go(SITE + '/message/' + uid)
b.find('input[value="x@gamma.example"]').click()
b.find('.decide input[name=why]').type('asked by phone')
b.press('button', 'Release to the chosen')
tap.ok('Done.' in b.text and 'taken by the MTA' in b.text, 'released to one of three', b.text)
p.arrived('Subject: special')
tap.same([x[0] for x in p.copies('Subject: special')], [['x@gamma.example']], '... who alone gets it')
r = record(special)
tap.ok([x['state'] for x in r['recipients']] == ['held', 'released', 'held'] and r['acts'][-1]['who'] == 'anna'
       and r['acts'][-1]['why'].startswith('asked by phone'), '... which the record tells', r)
tap.ok('released' in b.find('.matrix').text and b.all('.chip.held'), '... and the page')
b.find('.decide input[name=why]').type('none was chosen')
b.press('button', 'Release to the chosen')
tap.ok('Choose recipients' in b.text, 'none chosen: nothing is done', b.text)
b.find('.decide input[name=why]').type('no')
b.press('button.danger', 'Delete')
tap.ok(record(special)['state'] == 'deleted', 'delete, after a question')
tap.ok(not b.all('.decide'), '... then nothing more can be decided')

# ---- a list of recipients that grew out of hand ----
many = hold('many', to=['r%03d@beta.example' % i for i in range(230)] + ['kunde@alpha.example'])
uid = record(many)['uid']
b.go(SITE + '/message/' + uid + '?state=held&sort=oldest')
before = b.find('html')
b.keys('n')
b.left(before)
b.find('input[name=find]').type('r22')
b.press('.filters button')
tap.ok('sort=oldest' in b.url and b.all('.back a[rel=prev]'), 'who pages through recipients comes back to the same list', b.url)
b.go(SITE + '/message/' + uid)
boxes = b.all('.decide input[name=to]')
tap.ok(len(boxes) == 100 and boxes[0].attribute('value') == 'kunde@alpha.example',
       'of many recipients the wrong one stands first', boxes[0].attribute('value'))
b.press('a', 'Next page')
b.press('a', 'Next page')
boxes = [x.attribute('value') for x in b.all('.decide input[name=to]')]
b.picture(SHOTS + '/many.png')
tap.ok(len(boxes) == 31 and boxes[-1] == 'r229@beta.example' and '201–231 / 231' in b.text, '... all can be seen', boxes)
b.find('input[name=find]').type('R22')
b.press('.filters button')
boxes = [x.attribute('value') for x in b.all('.decide input[name=to]')]
tap.same(boxes, ['r%d@beta.example' % i for i in range(220, 230)], '... and looked for')
b.find('input[value="r225@beta.example"]').click()
b.find('.decide input[name=why]').type('he asked')
b.press('button', 'Release to the chosen')
p.arrived('Subject: many')
tap.same([x[0] for x in p.copies('Subject: many')], [['r225@beta.example']], '... and released to')
b.find('.decide input[name=why]').type('the list is right but for one')
b.press('button', 'Release to those with a right (229)')
tap.ok('Done.' in b.text, '... or all of them at once who have a right to it', b.text[:3000])
tap.same([x['address'] for x in record(many)['recipients'] if x['state'] == 'held'], ['kunde@alpha.example'],
         '... but no other')
p.arrived('Subject: many', 2)
tap.same(sum(len(x[0]) for x in p.copies('Subject: many')), 230, '... and they get it')
m.tool('held', 'delete', many, '-w', 'test')

# ---- notes, assigning, teaching ----
uid = record(first[0])['uid']
b.go(SITE + '/message/' + uid)
note = b.all('form.decide')[1]
note.browser.find('form.decide:nth-of-type(2) input[name=why]').type('sales knows')
b.press('button', 'Add the note')
b.press('button', 'Assign')
tap.ok('sales knows' in b.find('.history').text and 'anna' in b.find('.facts').text, 'a note, and assigned to anna',
       b.text)
b.find('input[name=receives]').type('AC-2')
b.press('button', 'May receive')
tap.ok('AC-2' in m.tool('directory', 'lookup', 'recipient', 'kunde@alpha.example'),
       'this recipient may receive for that account')
m.tool('directory', 'delete', 'AC-2', 'recipient', 'kunde@alpha.example')
m.tool('directory', 'delete', 'AC-2', 'customer-number', 'C-10002')
b.go(SITE + '/message/' + uid)
b.find('input[name=account]').type('AC-1')
b.press('button', 'Belongs')
tap.ok('AC-1' in m.tool('directory', 'lookup', 'customer-number', 'C-10002'), 'this identifier belongs to that account')
tap.ok(any(a['what'] == 'belongs' and a['who'] == 'anna' for a in record(first[0])['acts']), '... with who, on record')
m.tool('directory', 'delete', 'AC-1', 'customer-number', 'C-10002')
m.tool('directory', 'put', 'AC-2', 'customer-number', 'C-10002')

# ---- many as one ----
batch = [hold('batch %d' % i, sender='careful@seller.example') for i in range(12)]
b.go(SITE + '/causes')
tap.ok('12' in b.find('.list').text and 'careful@seller.example' in b.text, 'causes are counted', b.text)
b.picture(SHOTS + '/causes.png')
b.press('.list a', 'careful')
tap.same(len(b.all('.list tbody tr')), 6, 'a sample is shown')
b.picture(SHOTS + '/cause.png')
late = hold('batch late', sender='careful@seller.example')
csrf = b.find('form.decide input[name=token]').attribute('value')
up_to = b.find('input[name=up_to]').attribute('value')
tap.ok('Releasing sends 12 messages with data of AC-2 to 12 recipients who may not have it' in b.find('.decide').text,
       'what would be sent, to how many, whose data', b.text)
tap.ok('Return' in b.all('.decide .buttons button')[0].text and not b.all('.decide .buttons button')[0].attribute('class'),
       '... the first button sends nothing')
cause = urllib.parse.urlencode({'state': 'held', 'cause': record(batch[0])['cause'], 'up_to': up_to})
for number in ('', '11', '112', 'x'):
    status, _, text = http('/bulk?' + cause, 'POST', urllib.parse.urlencode({
        'token': csrf, 'all': '1', 'up_to': up_to, 'verb': 'release', 'why': 'x', 'others': number}).encode(), Cookie=cookie(b))
    tap.ok(status == 200 and 'name="others"' in text and set(batch) <= set(p.held()), '... nor by hand without its number: "%s"' % number)
b.find('input[name=why]').type('new prices')
b.press('button', 'Release all the same (12)')
b.picture(SHOTS + '/confirm.png')
b.find('input[name=others]').type('12')
b.press('.confirm button')
tap.ok('12' in b.text and 'done' in b.text, 'twelve are decided as one', b.text)
b.call('POST', '/refresh', {})
tap.ok('Decide on all of them' in b.text or 'no message is like this' in b.text, '... who loads that anew is asked about none again', b.text)
tap.ok(wait_for(lambda: all(record(x)['state'] == 'released' for x in batch), 60), '... and carried out')
p.flush()
tap.same(p.arrived('Subject: batch', 12, 30), 12, '... and arrive')
tap.ok(late in p.held() and record(late)['state'] == 'held', 'what came later is not part of it')
m.tool('held', 'delete', late)
groups = [['z@beta.example', 'kunde@alpha.example'], ['y@beta.example', 'kunde@alpha.example'], ['kunde@alpha.example']]
batch = [hold('rightful %d' % i, sender='careful@seller.example', to=to) for i, to in enumerate(groups)]
b.go(SITE + '/causes')
tap.same([[y for y in ('may have it', 'another\'s data') if y in x.text] for x in b.all('.list a') if 'careful' in x.text],
         [['may have it', 'another\'s data'], ['another\'s data']],
         'messages of which some may go are not in one group with those of which none may')
b.press('.list a', 'may have it another')
b.find('input[name=why]').type('the others may')
b.press('button', 'Release to those with a right')
tap.ok('2 are done' in b.text or '2 are being done' in b.text,
       'of many, those with a right get theirs', b.text)
tap.ok(wait_for(lambda: [[x['state'] for x in record(n)['recipients']] for n in batch] == [['released', 'held']] * 2 + [['held']]),
       '... and nobody else', [record(n)['recipients'] for n in batch])
m.tool('held', 'delete', *batch)

# ---- the second person ----
agent.stop()
configure(desk='two-person-policies = {"careful"}\n')
agent.start()
two = hold('two persons', sender='careful@seller.example')
b.go(SITE + '/message/' + record(two)['uid'])
b.find('.decide input[name=why]').type('I am sure')
tap.ok(not b.all('.decide input[name=to]'), 'of one recipient there is no choice')
b.press('.decide button', 'Release all the same')
tap.ok('may not have it: 1' in b.text and two in p.held(), 'what is another\'s asks for the number of its recipients', b.text)
b.find('input[name=others]').type('1')
b.press('.confirm button')
tap.ok('waits for a second person' in b.text and two in p.held(), 'the two-person rule', b.text)
comes_back('Whose is it?', 'who goes back to where the number was asked for finds the message as it is now')
b.go(SITE + '/waiting')
tap.ok('another person must agree' in b.text and not b.all('button[value=yes]'), '... anna cannot agree to her own',
       b.text)
decision = b.find('input[name=id]').attribute('value')
csrf = b.find('form.card input[name=token]').attribute('value')
status, _, text = http('/agree', 'POST', urllib.parse.urlencode({'token': csrf, 'id': decision, 'agrees': 'yes', 'password': "anna's-password"}).encode(),
                       Cookie=cookie(b))
tap.ok('another person must agree' in text and two in p.held(), '... not even by hand', text)
other = Browser()
log_in(other, 'bert')
other.go(SITE + '/waiting')
other.picture(SHOTS + '/waiting.png')
other.find('form.card input[name=password]').type("anna's-password")
other.press('button', 'Agree')
tap.ok('the password is wrong' in other.text and two in p.held(), '... bert cannot with what is not his own', other.text)
other.go(SITE + '/waiting')
other.find('form.card input[name=password]').type("bert's-password")
other.press('button', 'Agree')
p.flush()
tap.same(p.arrived('two persons'), 1, '... bert agrees, and it goes')
tap.same(record(two)['acts'][-1]['who'], 'anna, agreed by bert', '... both are on record')

# ---- roles ----
other.forget()
log_in(other, 'vera')
uid = record(first[1])['uid']
other.go(SITE + '/message/' + uid)
tap.ok('Whose is it?' in other.text and not other.all('.decide') and 'Show in clear' not in other.text,
       'a viewer sees, masked, and decides nothing', other.text)
token = other.find('header input[name=token]').attribute('value')
for path, data in (('/message/%s' % uid, 'verb=release&why=x'), ('/message/%s/reveal' % uid, ''), ('/agree', 'id=x'),
                   ('/bulk', 'uid=x&verb=delete'), ('/accounts', 'name=x')):
    status, _, _ = http(path, 'POST', ('token=%s&%s' % (token, data)).encode(), Cookie=cookie(other))
    tap.same(status, 403, '... nor by hand: ' + path)
tap.same(http('/message/%s/picture/1' % uid, Cookie=cookie(other))[0], 403, '... nor a picture')
tap.same(http('/accounts', Cookie=cookie(other))[0], 403, '... nor the accounts')
tap.same(record(first[1])['state'], 'held', '... nothing was done')
other.forget()
log_in(other, 'carla')
other.go(SITE + '/accounts')
other.picture(SHOTS + '/accounts.png')
forms = other.all('form.decide')
tap.ok(any('New account' in f.text for f in forms) and 'vera' in other.text, 'an administrator sees the accounts')
FRESH = 'form:has(input[name=act][value=account-put]):has(input[name=name][required]) '
for proof, name in (("vera's-password", '... and without her own password adds none'), ("carla's-password", '... with it, one')):
    other.go(SITE + '/accounts')
    other.find(FRESH + 'input[name=name]').type('emil')
    other.find(FRESH + 'input[name=new-password]').type("emil's-password")
    other.find(FRESH + 'input[name=password]').type(proof)
    other.press(FRESH + 'button')
    tap.same('emil' in m.tool('review', 'users'), proof.startswith('carla'), name)

# ---- forged forms, lost sessions ----
good = cookie(b)
uid = record(first[1])['uid']
for name, data, headers in (
        ('no token', 'verb=release&why=x', {}), ('a wrong token', 'verb=release&why=x&token=' + '0' * 64, {}),
        ('another origin', 'verb=release&why=x&token=' + csrf, {'Origin': 'http://evil.example'}),
        ('a null origin', 'verb=release&why=x&token=' + csrf, {'Origin': 'null'})):
    status, _, _ = http('/message/' + uid, 'POST', data.encode(), Cookie=good, **headers)
    tap.ok(status == 403 and first[1] in p.held(), 'a forged form: ' + name, status)
tap.ok(len(events('forged form')) == 4, '... on the audit trail')
b.go('data:text/html,<form method=post action="%s/message/%s"><input name=verb value=release><input name=why value=x>'
     '<button>go</button></form>' % (SITE, uid))
b.find('button').click()
time.sleep(1)
tap.ok(first[1] in p.held(), 'from another site the browser does not even send the cookie')
tap.same(http('/message/' + uid, 'DELETE', Cookie=good)[0], 405, 'other methods are refused')


def computed():
    """Seconds of a processor that the page has used."""
    with open('/proc/%d/stat' % page.process.pid) as f:
        return sum(int(x) for x in f.read().rsplit(')', 1)[1].split()[11:13]) / os.sysconf('SC_CLK_TCK')


used = computed()
status, _, _ = http('/login', 'POST', b'name=' + b'x' * 1000000)
used = computed() - used
tap.ok(status == 403 and used < 0.3 * SLOW, 'a form that is nearly too large, of whoever comes, takes no time', (status, used))
tap.same(http('/message/' + uid, 'POST', b'token=' + csrf.encode() + b'&why=' + b'x' * 2000000, Cookie=good)[0], 413,
         '... and one that is too large is refused')
for path in ('/message/../../etc/passwd', '/message/%00', '/message/' + 'a' * 5000, '/style.css/..', '/nothing'):
    status, _, text = http(path, Cookie=good)
    tap.ok(status in (400, 404, 414) and 'root:' not in text, 'no such page: ' + path[:30], status)
status, _, _ = http('/logout', 'POST', ('token=' + csrf).encode(), Cookie=good)
tap.ok(status == 303 and http('/', Cookie=good)[0] == 303, 'after log-out the session is worth nothing')

# ---- coming back ----
uid = record(first[1])['uid']
b.forget()
b.go(SITE + '/message/%s?search=billing%%40seller' % uid)
tap.ok('/login?to=' in b.url, 'a message is asked for without a session: the log-in', b.url)
b.press('footer a', 'Français')
tap.ok('/login?to=' in b.url and b.find('html').attribute('lang') == 'fr', '... in another language too', b.url)
b.go(SITE + '/login')
b.go(SITE + '/message/%s?search=billing%%40seller' % uid)
b.find('input[name=name]').type('anna')
b.find('input[name=password]').type('wrong')
b.press('main button')
b.find('input[name=name]').type('anna')
b.find('input[name=password]').type("anna's-password")
b.press('main button')
tap.same(b.url, SITE + '/message/%s?search=billing%%40seller' % uid, '... and after it, also at the second try, the message')
b.press('footer a', 'English')
tap.ok(b.url.startswith(SITE + '/message/' + uid) and b.find('html').attribute('lang') == 'en', 'who takes another language stays where he is',
       b.url)
nameless = b.script('return Array.from(document.querySelectorAll("main table")).filter(t => !t.caption && !t.getAttribute("aria-label")).length')
tap.same(nameless, 0, 'a table has a name, which is read out')
for to, want in (('/message/' + uid, '/message/' + uid), ('/?reason=mismatch', '/?reason=mismatch'), ('/causes', '/causes'),
                 ('/message/%s/reveal' % uid, '/message/' + uid), ('', '/'), ('/counter', '/'), ('/app.js', '/'), ('/logout', '/'),
                 ('/nothing', '/'), ('//evil.example/', '/'), ('/\\evil.example/', '/'), ('https://evil.example/', '/'), ('evil', '/'),
                 ('?//evil.example', '/'), ('/?a\r\nSet-Cookie: b=c', '/'), ('/causes?' + 'x' * 3000, '/')):
    status, headers, _ = http('/login', 'POST', urllib.parse.urlencode(
        {'name': 'anna', 'password': "anna's-password", 'to': to}).encode())
    tap.same((status, headers['Location']), (303, want), 'after a log-in for %s' % repr(to)[:40])
for referer, want in (('%s/message/%s/reveal' % (SITE, uid), '/message/' + uid), (SITE + '.evil.example/causes', '/'), ('x', '/'),
                      ('https://evil.example/causes', '/'), (SITE, '/')):
    tap.same(http('/language?to=en', Referer=referer)[1]['Location'], want, 'a language, chosen on %s' % referer.replace(SITE, ''))
status, _, text = http('/message/' + uid, 'POST', b'verb=return&why=x')
tap.ok(status == 401 and '"/login?to=%2Fmessage%2F' + uid + '"' in text and first[1] in p.held(),
       'a decision behind the end of a session: nothing is done, and the way back is shown', text[:300])
words = 'form.decide:nth-of-type(2) input[name=why]'
OF = {'sends them': [('anna', 'sales says so')], 'leaves them there': [('bert', ''), ('anna', '')]}
for how in ('sends them', 'leaves them there'):
    log_in(b, 'anna')
    b.go(SITE + '/message/' + uid)
    b.find(words).type('sales says so')
    m.tool('review', 'passwd', 'anna', stdin="anna's-password\n")  # ends her sessions
    if how == 'sends them':
        b.press('button', 'Add the note')
        b.press('main a', 'Log in')
    wait_for(lambda: '/login' in b.url, 20)
    for who, want in OF[how]:
        b.find('input[name=name]').type(who)
        b.find('input[name=password]').type(who + "'s-password")
        b.press('main button')
        tap.same((b.url.split('?')[0], b.script('return document.querySelector(%r).value' % words)), (SITE + '/message/' + uid, want),
                 'who types words when the session ends, and %s: %s finds %r' % (how, who, want))
        if who == 'bert':
            b.go(SITE + '/login')
            b.forget()
            b.go(SITE + '/login?to=%2Fmessage%2F' + uid)
page.stop()
configure('idle-timeout = 2s\n')
page.start()
log_in(b, 'anna')
tap.ok('Held mail' in b.text, 'logged in again')
time.sleep(2.5)
b.go(SITE + '/')
tap.ok(b.url.endswith('/login'), 'an idle session ends', b.url)
page.stop()
configure('session-timeout = 3s\n')
page.start()
log_in(b, 'anna')
for _ in range(4):
    time.sleep(1)
    b.go(SITE + '/')
tap.ok(b.url.endswith('/login'), 'so does one in use, at last', b.url)
page.stop()
configure()
page.start()
for _ in range(6):
    status, _, text = http('/login', 'POST', b'name=dora&password=guess')
tap.ok(status == 429 and 'Too many' in text, 'guessing is stopped', (status, text))
status, _, _ = http('/login', 'POST', urllib.parse.urlencode({'name': 'dora', 'password': "dora's-password"}).encode())
tap.same(status, 429, '... for the right password too')
with contextlib.closing(sqlite3.connect(m.state + '/agent/accounts.db')) as db:
    db.execute('DELETE FROM failure')
    db.commit()

# ---- hostile content ----
pdf_name = 'inv"><script>window.hacked=1</script>.txt'
evil = ('From: "%s" <billing@seller.example>\r\nTo: kunde@alpha.example\r\nSubject: %s\r\nMessage-ID: <evil@x>\r\n'
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        '<p>your customer number: C-10002</p>%s &lt;script&gt;window.hacked=1&lt;/script&gt;\r\n--b\r\n'
        'Content-Type: text/plain\r\nContent-Disposition: attachment; filename*=UTF-8\'\'%s\r\n\r\nbefore %s\r\n'
        'customer number: C-10002 \xe2\x80\xae%s\r\n--b--\r\n' % (
            XSS.replace('"', "'"), XSS, XSS, urllib.parse.quote(pdf_name), XSS, XSS)).encode('latin-1')
r = p.send(evil, to=['kunde@alpha.example', '"<script>alert(1)</script>"@gamma.example'])
name = queue_id(r)
tap.ok(wait_for(lambda: name in p.held()), 'a hostile message is held', r)
log_in(b, 'dora')
b.go(SITE + '/')
b.script('window.hacked = 0')
uid = record(name)['uid']
for address in ('/', '/causes', '/?search=' + urllib.parse.quote(XSS), '/cause?is=' + urllib.parse.quote(XSS),
                '/message/%s?fine=1&done=%s' % (uid, urllib.parse.quote(XSS)), '/message/' + uid):
    b.go(SITE + address)
    tap.ok(not b.script('return window.hacked') and not b.all('main script, main img[src="x"]'),
           'no script runs on ' + address[:40])
b.press('button', 'Show in clear')
tap.ok(not b.script('return window.hacked') and not b.all('main script, main img[src="x"]'),
       'nor where the message is shown in clear')
shown = b.find('#evidence').text
tap.ok('<script>' in shown, '... it is text', shown)
tap.ok('\u202e' not in b.source and '\\u202e' in b.source, '... and nothing turns its direction')
b.picture(SHOTS + '/hostile.png')
errors = [x for x in b.console() if 'Content Security Policy' in x]
tap.same(errors, [], '... the policy of the page had nothing to stop')
form_token = b.find('#evidence form input[name=token]').attribute('value')
path = b.all('#evidence form input[name=path]')[-1].attribute('value')
status, headers, text = http('/message/%s/part' % uid, 'POST', urllib.parse.urlencode(
    {'token': form_token, 'path': path, 'name': pdf_name}).encode(), Cookie=cookie(b))
tap.ok(status == 200 and 'before' in text and headers['Content-Type'] == 'application/octet-stream' and
       headers['Content-Disposition'].startswith('attachment;') and '<' not in headers['Content-Disposition'],
       'with the right, a part is downloaded as bytes, never shown', (status, headers, text))
tap.ok(any(a['what'].startswith('download') for a in record(name)['acts']), '... on record')
m.tool('held', 'delete', name)

# ---- a PDF ----
r = p.send(message('Your invoice', pdf('Invoice  Customer number: C-10002'), more=MIXED), to=['kunde@alpha.example'])
name = queue_id(r)
wait_for(lambda: name in p.held())
uid = record(name)['uid']
b.go(SITE + '/message/' + uid)
b.press('button', 'Show in clear')
tap.ok(wait_for(lambda: b.script('const i = document.querySelector(".first-page"); if (!i) return 0;'
                                 'i.scrollIntoView(); return i.complete ? i.naturalHeight : 0') > 500, 30),
       'the first page of a PDF is a picture', b.text)
ink = b.script('''const i = document.querySelector(".first-page"), c = document.createElement("canvas");
c.width = i.naturalWidth; c.height = i.naturalHeight; const x = c.getContext("2d"); x.drawImage(i, 0, 0);
const d = x.getImageData(0, 0, c.width, c.height).data; let n = 0;
for (let k = 0; k < d.length; k += 4) if (d[k] < 100) n++; return n;''')
tap.ok(ink > 200, '... with its text, though no font is in it', ink)
b.picture(SHOTS + '/pdf.png')
m.tool('held', 'delete', name)

# ---- keyboard alone, a phone, French ----
keyed = hold('keyed', to=['kunde@alpha.example', 'z@beta.example'])
b.forget()
b.go(SITE + '/login')
tap.ok(wait_for(lambda: b.script('return document.activeElement.name') == 'name'), 'by keyboard alone: one can type at once')
b.keys(*'anna', TAB, *"anna's-password", ENTER)
tap.ok(wait_for(lambda: b.url == SITE + '/'), '... log in', b.url + b.text)
b.find('.list')
b.keys('j')
b.keys(ENTER)
tap.ok(wait_for(lambda: '/message/' in b.url), '... a message opened', b.url)
tap.ok(keyed in b.text, '... the newest', b.text)
for field in ('why', 'account', 'receives'):
    b.script("document.querySelector('.decide input[name=%s]').focus()" % field)
    b.keys(*'AC-2', ENTER)
time.sleep(1)
tap.ok('/message/' in b.url and 'done=' not in b.url and {x['state'] for x in record(keyed)['recipients']} == {'held'} and
       not record(keyed)['decisions'], '... Enter in a field decides nothing', b.url)
b.go(b.url)
for _ in range(60):
    b.keys(TAB)
    if b.script('return document.activeElement.name') == 'to':
        break
b.keys(SPACE)
b.keys(TAB, TAB, TAB)
b.keys(*'ok', TAB, TAB, ENTER)
tap.ok(wait_for(lambda: 'done=' in b.url), '... and released', b.url)
tap.ok(wait_for(lambda: [x['state'] for x in record(keyed)['recipients']] == ['released', 'held']), '... to the one that was chosen',
       record(keyed)['recipients'])
b.size(375, 720)
left = hold('phone', to=['kunde@alpha.example'] + ['r%d@beta.example' % i for i in range(20)])
for name, path in (('list', '/'), ('message', '/message/' + record(left)['uid']), ('causes', '/causes'), ('accounts', '/waiting')):
    b.go(SITE + path)
    width = b.script('return document.documentElement.scrollWidth')
    tap.ok(width <= 375, 'on a phone nothing is wider than it: ' + name, width)
    b.picture(SHOTS + '/phone-%s.png' % name)
b.go(SITE + '/')
with contextlib.suppress(RuntimeError):  # something else stands above it
    b.find('.list input[name=uid]').click()
tap.same((b.url, len(b.all('.list input[name=uid]:checked'))), (SITE + '/', 1), '... and a line of the list is chosen by its box')
b.size(1280, 300)
b.go(SITE + '/')
hidden = []
for _ in b.all('.list a.go'):
    b.keys('j')
    hidden += b.script('''const e = document.activeElement, r = e.getBoundingClientRect();
return [r.top + 2, r.bottom - 2].every(y => e.contains(document.elementFromPoint(r.left + 3, y))) ? [] : [e.textContent]''')
tap.ok(len(b.all('.list a.go')) > 1 and not hidden, '... nor does what is decided below cover the line that keys have marked', hidden)
b.size(375, 720)
long = hold('l' * 300, to=['%s@beta.example' % ('a' * 60)])
b.go(SITE + '/message/' + record(long)['uid'])
b.press('button', 'Show in clear')
width = b.script('return document.documentElement.scrollWidth')
tap.ok(width <= 375, '... nor a long name, in clear', width)
m.tool('held', 'delete', long)
b.size(1280, 900)
for name, path, kept in (('list', '/', '.list'), ('message', '/message/' + record(left)['uid'], '.sentence')):
    b.go(SITE + path)
    b.media('print')
    seen = b.script('return ["button", "nav", kept].map(css => Array.from(document.querySelectorAll(css)).filter('
                    'e => e.getClientRects().length).length)'.replace('kept', json.dumps(kept)))
    tap.ok(seen[:2] == [0, 0] and seen[2] > 0, 'what is printed is what was found, and nothing to be pressed: ' + name, seen)
    b.media('')
b.go(SITE + '/language?to=fr')
b.go(SITE + '/message/' + record(left)['uid'])
tap.ok('À qui est-ce ?' in b.text and b.find('html').attribute('lang') == 'fr', 'in French', b.text)
b.picture(SHOTS + '/french.png')
text = b.find('main').text
tap.ok(not re.search(r'\b(Release|Delete|Reason|Recipient|held|account|found)\b', text), '... all of it', text)

# ---- an MTA that does not answer; policies that change ----
tarpit = socket.create_server(('127.0.0.1', 0))  # greets, and then says nothing more


def greet():
    kept = []
    while True:
        kept.append(tarpit.accept()[0])
        kept[-1].sendall(b'220 slow\r\n')
        kept[-1].recv(1000)  # EHLO
        kept[-1].sendall(b'250 slow\r\n')


threading.Thread(target=greet, daemon=True).start()
agent.stop()
configure(port=tarpit.getsockname()[1])
agent.start()
b.go(SITE + '/language?to=en')
stuck, other = (hold(x, to=['kunde@alpha.example', 'z@beta.example']) for x in ('stuck', 'other'))
b.go(SITE + '/message/' + record(stuck)['uid'])
b.find('input[value="z@beta.example"]').click()
b.find('.decide input[name=why]').type('x')
b.press('button', 'Release to the chosen')
tap.ok('It is being done' in b.text and record(stuck)['state'] == 'held', 'while a submission hangs the page says so',
       b.text)
b.go(SITE + '/message/' + record(other)['uid'])
b.press('button', 'Show in clear')
tap.ok('C-10002' in b.text and 'missent-agent does not answer' not in b.text, '... another message is shown', b.text)
tap.ok('it would be: hold' in b.text, '... and how it would be judged now', b.text)
m.write_policy('# none of them is checked now\n')
b.go(SITE + '/message/' + record(other)['uid'])
b.press('button', 'Show in clear')
tap.ok('it would be: deliver' in b.text, '... by the policies as they are now', b.text)
m.write_policy('policy {')
b.go(SITE + '/message/' + record(other)['uid'])
b.press('button', 'Show in clear')
tap.ok('it would be: deliver' in b.text and 'before a mistake' in b.text and 'test.conf:' in b.text,
       '... or were, before a mistake, which is told', b.text)
m.write_policy(POLICY)
b.find('form.decide:nth-of-type(2) input[name=why]').type('meanwhile')
b.press('button', 'Add the note')
tap.ok('Done.' in b.text and 'meanwhile' in b.find('.history').text, '... and a note is taken', b.text)
tap.same(agent.stop(), 0, 'the agent ends all the same')
configure()
agent.start()
tap.ok(wait_for(lambda: record(stuck)['recipients'][1]['state'] == 'released', 30),
       'what hung is done by the next one, which finds an MTA', record(stuck))
p.arrived('Subject: stuck')
tap.same([x[0] for x in p.copies('Subject: stuck')], [['z@beta.example']], '... once')

# ---- the agent is away; a proxy that is trusted ----
b.go(SITE + '/message/' + record(left)['uid'])
agent.stop()
b.find('.decide input[name=why]').type('x')
b.press('.decide button[value=return]')
tap.ok('missent-agent' in b.text and left in p.held(), 'without its agent the page says so, and nothing is done', b.text)
b.go(SITE + '/message/' + record(left)['uid'])
tap.ok('nothing is shown' in b.text and 'C-1' not in b.text, '... and no look that nobody would know of', b.text)
tap.ok(not os.path.exists(m.state + '/review/audit'), '... for it has no trail of its own')
b.go(SITE + '/')
tap.ok(len(b.all('.list tbody tr')) > 0, '... but still shows what is held')
out = m.tool('held', 'release', left, '--others', '1')
tap.ok(m.code == 0, 'and the command line works without either', out)
page.stop()
status = None
agent.start()
configure('proxy-peers = {"127.0.0.1"}\nproxy-header = "X-Remote-User"\n')
page.start()
status, headers, text = http('/', X_Remote_User='anna')
tap.ok(status == 200 and 'anna' in text, 'a trusted proxy names the user', status)
status, _, _ = http('/', X_Remote_User='nobody-here')
tap.same(status, 303, '... who must have an account')
for proto, prefix in (('https', '__Host-'), ('https, http', '__Host-'), ('HTTPS,http', '__Host-'), ('http', ''), ('http, https', ''),
                      ('httpsx', ''), ('', '')):
    cookies = http('/language?to=en', X_Forwarded_Proto=proto)[1].get_all('Set-Cookie') or []
    tap.ok(cookies and all(c.startswith('__Host-') == bool(prefix) == ('; Secure' in c) for c in cookies),
           '... and says how it was asked: "%s"' % proto, cookies)
page.stop()
configure('proxy-peers = {"192.0.2.1"}\n')
page.start()
tap.same(http('/', X_Remote_User='anna')[0], 303, 'from elsewhere the header is worth nothing')
page.stop()

# ---- TLS, a Unix socket ----
subprocess.run(
    ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', S + '/key.pem', '-out', S + '/cert.pem',
     '-days', '2', '-subj', '/CN=localhost'], check=True, stderr=subprocess.DEVNULL)
PAGE = 'listen = "0.0.0.0:%d"\nuser = "daemon"\n%s'
configure('tls-certificate = "%s/cert.pem"\ntls-key = "%s/key.pem"\n' % (S, S))
page.start()
done = subprocess.run(['curl', '-sik', 'https://127.0.0.1:%d/login' % PORT], stdout=subprocess.PIPE, text=True)
tap.ok('200' in done.stdout.split('\n')[0] and 'Strict-Transport-Security' in done.stdout, 'with TLS: any address', done)
page.stop()
PAGE = 'listen = "unix:' + S + '/page.sock"\nuser = "daemon"\n# %d\n%s'
configure()
page.start()
done = subprocess.run(['curl', '-si', '--unix-socket', S + '/page.sock', 'http://x/login'], stdout=subprocess.PIPE, text=True)
tap.ok('200' in done.stdout.split('\n')[0], 'on a Unix socket', done)
tap.same(page.stop(), 0, 'the page stops cleanly')
trail = m.trail() + page.tail() + agent.tail()
tap.ok(not tells(trail) and "'s-password" not in trail, 'neither trail nor log has an identifier or a password')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
