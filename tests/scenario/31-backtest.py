"""What policies would have done with stored mail: mailboxes of each kind, beside a second set of policies, stopped
and gone on with, and with what mailboxes suffer from."""
import json
import mailbox
import os
import re
import shutil
import signal
import subprocess
import time

from rig import BUILD, SOURCE, Tap, message, scratch_folder, wait_for

tap = Tap()
S = scratch_folder()
CONF = S + '/missent.conf'
os.environ['XDG_CACHE_HOME'] = S + '/cache'


def write(name, text, mode='w'):
    os.makedirs(os.path.dirname(os.path.join(S, name)), exist_ok=True)
    with open(os.path.join(S, name), mode, **({} if 'b' in mode else {'newline': ''})) as f:
        f.write(text)
    return os.path.join(S, name)


def missent(*args, code=0, **more):
    r = subprocess.run([BUILD + '/missent', '-c', CONF, *args], capture_output=True, text=True, check=False, **more)
    if code is not None and r.returncode != code:
        tap.ok(False, 'missent %s: exit %d' % (' '.join(args), code), '%d\n%s%s' % (r.returncode, r.stdout[-600:], r.stderr))
    return r


def test(*args, code=0):
    r = missent('policy', 'test', '--json', *args, code=code)
    return json.loads(r.stdout) if r.stdout.startswith('{') else {}


INVOICES = 'policy "invoices" {\n\tsender = {"billing@seller.example"}\n\tmax-recipients = 5\n}\n'
WAGES = 'policy "wages" {\n\tsender = {"wages@seller.example"}\n\tkinds = {"none"}\n\tmax-recipients = %d\n}\n'
for folder, most in (('policies', 5), ('stricter', 1)):
    os.makedirs(S + '/' + folder)
    shutil.copy(SOURCE + '/policies/kinds.conf', S + '/' + folder)
    write(folder + '/invoices.conf', INVOICES)
    write(folder + '/wages.conf', WAGES % most)
write('missent.conf', 'mode = enforce\nstate-dir = "%s"\npolicy-dir = "%s/policies"\nreader { program = "%s/missent-reader" }\n'
      'directory {\n\tdigests = no\n}\n' % (S, S, BUILD))
write('map.csv', 'account,kind,value\n' + ''.join(
    'A%d,recipient,a%d@c%d.example\nA%d,customer-number,KD-%d0%d7731\n' % (i, i, i, i, i, i) for i in range(1, 8)))
missent('directory', 'import', S + '/map.csv')


def invoice(i, of, to=None, more=''):
    return message('Invoice %d' % i, 'Customer number: KD-%d0%d7731\n' % (of, of), to=to or 'a%d@c%d.example' % (i % 7 + 1, i % 7 + 1),
                   more=more)


# ---- an mbox and a Maildir of 120 messages: every tenth invoice is another's, every fifth mail is a wage slip to two
N = 120
texts = []
for i in range(N):
    if i % 5 == 0:
        texts.append(message('Wages %d' % i, 'Hello\n', sender='wages@seller.example', to='x%d@home.example, y@home.example' % i))
    else:
        texts.append(invoice(i, i % 7 + 1 if i % 10 != 3 else (i + 1) % 7 + 1))
WRONG = sum(i % 5 != 0 and i % 10 == 3 for i in range(N))
box = ''.join('From billing@seller.example Thu Nov 26 10:00:00 2026\n%s\n' % t.replace('\r\n', '\n') for t in texts)
mbox = write('mail.mbox', box)
maildir = mailbox.Maildir(S + '/Maildir')
for t in texts:
    maildir.add(t.encode())
all_of = test('--against', mbox, '--rows')
tap.same((all_of['messages'], all_of['would'], all_of['whole']), (N, {'deliver': N - WRONG, 'hold': WRONG}, True),
         'an mbox: what would have been held is what is wrong')
tap.same(all_of['causes'][0]['messages'] if len(all_of['causes']) == 1 else all_of['causes'], WRONG, '... for one cause')
tap.ok('KD-' not in json.dumps(all_of), '... and nothing in clear')
tap.same(test('--against', S + '/Maildir')['would'], all_of['would'], 'a Maildir: the same')
os.makedirs(S + '/mistyped')
shutil.copy(SOURCE + '/policies/kinds.conf', S + '/mistyped')
write('mistyped/a.conf', INVOICES.replace('billing', 'biling'))
tap.ok(any('%d of %d messages fell under no policy' % (N, N) in n for n in test('--against', mbox, '--policies', S + '/mistyped')['notes'])
       and not all_of['notes'], 'what falls under no policy is told', all_of['notes'])
both = test('--against', mbox, '--against', S + '/Maildir')
tap.same(both['messages'], 2 * N, 'several mailboxes at once')
out = missent('policy', 'test', '--against', mbox, '--html', S + '/report.html').stdout
tap.ok('causes, the largest first' in out and 'deliver' in out and len(out.splitlines()) < 40, 'for a person it is a page at most', out)
right = write('right.eml', invoice(1, 2))
tap.ok('reasons, messages of each\n  none\n' in missent('policy', 'test', '--against', right).stdout, '... in which no heading is without a line')
with open(S + '/report.html') as f:
    page = f.read()
tap.ok('<svg' in page and 'http' not in page.replace('http-equiv', ''), '... and a page with charts asks for nothing elsewhere')

# ---- beside another set of policies: exactly the wage slips differ
differ = test('--against', mbox, '--policies', S + '/stricter', '--baseline', S + '/policies', code=1)
slips = [r['name'] for r in all_of['rows'] if r['now']['policies'] == 'wages']
tap.same((differ['differ'], sorted(r['name'] for r in differ['rows'])), (N // 5, sorted(slips)),
         'one policy changed: exactly its mail is judged otherwise')
tap.ok(all('oversized' in ' '.join(r['now']['reasons']) and not r['baseline']['reasons'] for r in differ['rows']),
       '... and it says why', differ['rows'][:1])
tap.same(test('--against', mbox, '--baseline', S + '/policies')['differ'], 0, 'the same policies: nothing')
git = ['git', '-C', S + '/policies', '-c', 'user.name=t', '-c', 'user.email=t@t.example']
if shutil.which('git'):
    subprocess.run(git[:3] + ['init', '-q'], check=True)
    subprocess.run(git + ['add', '.'], check=True)
    subprocess.run(git + ['commit', '-qm', 'first'], check=True)
    write('policies/wages.conf', WAGES % 1)
    r = test('--against', mbox, '--baseline', 'HEAD', code=1)
    tap.same(r['differ'], N // 5, 'a revision of the folder of policies is a baseline')
    r = missent('policy', 'test', '--against', mbox, '--baseline', 'nowhere', code=64)
    tap.ok('nowhere' in r.stderr and 'no such folder' in r.stderr, 'one that is none is told', r.stderr)
    write('policies/wages.conf', WAGES % 5)
else:
    tap.skip('a revision of the folder of policies is a baseline', 'there is no git')
write('map2.csv', 'account,kind,value\nZ,recipient,z@z.example\nZ,customer-number,KD-9097731\n')
tap.same(test('--against', mbox, '--directory', S + '/map2.csv')['would'], {'deliver': N},
         'by another mapping, which knows none of them, nothing is another\'s')

# ---- stopped, killed, and gone on with: the same rows as at one go


def judged(state):
    try:
        with open(state) as f:
            return sum(1 for _ in f) - 1
    except OSError:
        return 0


def stopped(signal_number):
    state = S + '/state.%d' % signal_number
    p = subprocess.Popen([BUILD + '/missent', '-c', CONF, 'policy', 'test', '--json', '--against', mbox, '--state', state, '-j', '1'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: judged(state) >= 10 or p.poll() is not None, 60)
    p.send_signal(signal_number)
    out, err = p.communicate()
    before = judged(state)
    tap.ok(10 <= before < N, 'stopped by signal %d after %d of %d' % (signal_number, before, N))
    if signal_number != signal.SIGKILL:
        tap.ok(p.returncode == 75 and 'goes on from here' in err and not json.loads(out)['whole'], '... it says so', out + err)
    else:
        with open(state, 'a') as f:
            f.write('{"name":"half a li')
    r = test('--against', mbox, '--state', state, '--rows')
    tap.same((r['rows'], r['would'], r['whole']), (all_of['rows'], all_of['would'], True), '... gone on with, it is the same')
    out = missent('policy', 'test', '--against', mbox, '--state', state).stdout
    tap.ok('%d messages, %d of them before' % (N, N) in out, '... and what was judged is not judged again', out)


stopped(signal.SIGINT)
stopped(signal.SIGHUP)
stopped(signal.SIGKILL)
r = missent('policy', 'test', '--against', mbox, '--state', S + '/state.2', '--policies', S + '/stricter').stdout
tap.ok('before' not in r.splitlines()[0], 'by other policies, all is judged anew', r)
tap.ok(not os.path.isdir(S + '/cache/missent') or not os.listdir(S + '/cache/missent'), 'nothing is left of what came to its end')

# ---- who the recipients were
REPORT = ('From: journal@seller.example\nTo: archive@seller.example\nSubject: report\nX-MS-Journal-Report:\nMIME-Version: 1.0\n'
          'Content-Type: multipart/mixed; boundary=j\n\n--j\nContent-Type: text/plain\n\nSender: billing@seller.example\n'
          'Subject: Invoice\nMessage-Id: <1@x>\nRecipient: a1@c1.example\nBcc: a2@c2.example, Expanded: list@seller.example\n\n'
          '--j\nContent-Type: message/rfc822\n\n%s\n--j--\n')
inner = invoice(0, 1).replace('\r\n', '\n')
write('journal/1.eml', REPORT % inner)
r = test('--against', S + '/journal', '--rows')['rows'][0]
tap.ok(r['by'] == 'journal' and r['recipients'] == 2 and r['now']['would'] == 'hold' and 'invoices' in r['now']['policies'],
       'a journal report: its recipients, and the message in it', r)
write('journal/1.eml', (REPORT % inner).replace('Bcc: a2@c2.example, Expanded: list@seller.example\n', ''))
r = test('--against', S + '/journal', '--rows')['rows'][0]
tap.ok(r['recipients'] == 1 and r['now']['would'] == 'deliver', '... of one that went to the right one alone', r)
write('journal/1.eml', REPORT.replace('Recipient: a1@c1.example\nBcc: a2@c2.example, Expanded: list@seller.example\n', '') % inner)
r = test('--against', S + '/journal', '--rows', code=65)['rows'][0]
tap.ok('recipients cannot be read' in r.get('failed', ''), '... of one that names nobody', r)
write('bcc/1.eml', invoice(0, 1, more='X-Original-To: a2@c2.example\r\nDelivered-To: a2@c2.example\r\n'))
r = test('--against', S + '/bcc', '--rows')['rows'][0]
tap.ok(r['by'] == 'delivery' and r['now']['would'] == 'hold', 'what delivery wrote goes before To', r)
write('bcc/1.eml', invoice(0, 1, more='Delivered-To: a2@c2.example\r\nX-Original-To: a1@c1.example\r\n'))
r = test('--against', S + '/bcc', '--rows')['rows'][0]
tap.ok(r['recipients'] == 1 and r['now']['would'] == 'deliver', '... the address before an alias first', r)
write('bcc/1.eml', invoice(0, 1, more='X-Original-To: a2@c2.example\r\n'))
r = test('--against', S + '/bcc', '--rows', '--archive', 'a2@c2.example')['rows'][0]
tap.ok(r['by'] == 'headers' and r['now']['would'] == 'deliver', '... but for the archive itself', r)
for i in range(25):
    write('bcc/%d.eml' % i, invoice(i, i % 7 + 1, more='Delivered-To: archive@seller.example\r\n'))
r = test('--against', S + '/bcc')
tap.ok(any('--archive archive@seller.example' in n for n in r['notes']), '... which is guessed where all mail is to it', r['notes'])

# ---- what mailboxes suffer from
cut = write('cut.mbox', box[:len(box) - 20])
r = test('--against', cut)
tap.ok(r['messages'] == N and any('ends within' in n and ':%d' % N in n for n in r['notes']), 'a mailbox that was cut says where', r['notes'])
r = missent('policy', 'test', '--against', S + '/nothing', code=66)
tap.ok('nothing' in r.stderr, 'a mailbox that is not there', r.stderr)
os.makedirs(S + '/empty')
r = missent('policy', 'test', '--against', S + '/empty', code=66)
tap.ok('no Maildir' in r.stderr, 'a folder without mail', r.stderr)
write('broken/kinds.conf', '')
shutil.copy(SOURCE + '/policies/kinds.conf', S + '/broken')
write('broken/a.conf', 'policy "a" {\n\tmax-recipients = many\n}\n')
r = missent('policy', 'test', '--against', mbox, '--baseline', S + '/broken', code=78)
tap.ok('broken/a.conf:2' in r.stderr, 'a baseline that does not parse: file and line', r.stderr)
write('none/1.eml', 'From: billing@seller.example\nSubject: x\n\nbody\n')
r = test('--against', S + '/none', '--rows', code=65)
tap.ok(r['not-judged'] == 1 and 'names no recipient' in r['rows'][0]['failed'], 'a message that names no recipient is counted as that', r)
os.rename(S + '/directory.db', S + '/away.db')
r = missent('policy', 'test', '--against', mbox, code=None)
tap.ok(r.returncode != 0 and 'until now is gone' in r.stderr, 'a directory that cannot be asked: nothing is judged', r.stderr)
os.rename(S + '/away.db', S + '/directory.db')

# ---- tests beside policies: those that are shipped, and each recipe of the cookbook
with open(SOURCE + '/milter/policy/missent-cookbook.7') as f:
    recipes = re.findall(r'\.Bd -literal -offset indent\n(.*?)\.Ed\n', f.read(), re.S)
tap.same(len(recipes), 13, 'the cookbook has thirteen recipes')
os.makedirs(S + '/cookbook')
shutil.copy(SOURCE + '/policies/kinds.conf', S + '/cookbook')
for i, recipe in enumerate(recipes):
    write('cookbook/%02d.conf' % i, recipe.replace('\\e', '\\'))
    write('recipe-%d/a.conf' % i, recipe.replace('\\e', '\\'))
    shutil.copy(SOURCE + '/policies/kinds.conf', S + '/recipe-%d' % i)
    r = missent('policy', 'lint', '--policies', S + '/recipe-%d' % i, code=None)
    tap.ok(r.returncode == 0 and 'nothing is odd' in r.stdout, 'nothing is odd in recipe %d' % (i + 1), r.stdout)
r = missent('policy', 'check', '--policies', S + '/cookbook', code=None)
tests = sum(len(re.findall('^test ', x, re.M)) for x in recipes)
tap.ok(r.returncode == 0 and '%d tests passed' % tests in r.stdout, 'their %d tests pass' % tests, r.stdout + r.stderr)
r = missent('policy', 'check', '--policies', SOURCE + '/policies', code=None)
tap.ok(r.returncode == 0 and 'tests passed' in r.stdout, 'those of the shipped policies too', r.stdout + r.stderr)
write('recipe-0/a.conf', recipes[0].replace('expect  = hold', 'expect  = deliver'))
r = missent('policy', 'check', '--policies', S + '/recipe-0', code=1)
tap.ok('recipe-0/a.conf:' in r.stdout and '"hold"' in r.stdout and '"deliver" is expected' in r.stdout,
       'one that fails is told with file and line', r.stdout)
for text, wrong in (('to = {"a@b.example"}\n\ttext = "x"', 'expect is missing'), ('text = "x"\n\texpect = hold', 'to is missing'),
                    ('to = {"a@b.example"}\n\texpect = hold', 'either text or a file'),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hodl', 'hold'),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hold\n\treason = {"mismatsch"}', 'mismatsch'),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hold\n\tmapping = {"a,b"}', 'account,kind,value'),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hold\n\tpolicy = "none"', 'there is no policy "none"'),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hold\n\tmapping = {"A,recipient,a@b.example", "A,foo,1"}', '"A,foo,1": '),
                    ('to = {"a@b.example"}\n\ttext = "x"\n\texpect = hold\n\tclient = "10.0.0.0/8"', 'no IP address'),
                    ('to = {"<>"}\n\ttext = "x"\n\texpect = hold', 'no address of a recipient'),
                    ('to = {"a@b.example"}\n\tfile = "nothing.eml"\n\texpect = hold', 'nothing.eml')):
    write('recipe-0/a.conf', 'policy "a" {\n}\ntest "t" {\n\t%s\n}\n' % text)
    r = missent('policy', 'check', '--policies', S + '/recipe-0', code=None)
    tap.ok(r.returncode not in (0, None) and wrong in r.stdout + r.stderr and 'a.conf:' in r.stdout + r.stderr,
           'a test with a mistake: ' + wrong, r.stdout + r.stderr)
write('recipe-0/a.conf', 'policy "a" {\n\tsender = {"<>"}\n\tmax-recipients = 1\n}\ntest "t" {\n\tfrom = "<>"\n\tto = {"a@b.example", "Anna <c@b.example>"}\n'
      '\ttext = "x"\n\texpect = hold\n\treason = {"oversized"}\n}\n')
missent('policy', 'check', '--policies', S + '/recipe-0')

start = time.monotonic()
with open(S + '/large.mbox', 'w') as f:
    f.truncate(2 << 30)
    f.write('From a@b.example Thu Nov 26 10:00:00 2026\n' + invoice(1, 2))
r = test('--against', S + '/large.mbox')
tap.ok(r.get('messages') == 1 and time.monotonic() - start < 120, 'a file of two gigabytes is looked through in bounded memory', r)
tap.done()
