"""A mapping proposed from stored outgoing mail: what goes together is proposed, what does not is told first with the
message; then it is imported and judges; stopped, killed and gone on with; and what mailboxes suffer from."""
import csv
import hashlib
import os
import shutil
import signal
import stat
import subprocess

from rig import BUILD, MIXED, SOURCE, Tap, message, scratch_folder, wait_for

tap = Tap()
S = scratch_folder()
os.environ['XDG_CACHE_HOME'] = S + '/cache'
CACHE = S + '/cache/missent'
OUT = S + '/learned.csv'
VAT, IBAN = 'DE136695976', 'DE89 3704 0044 0532 0130 00'


def write(name, text, mode='w'):
    path = os.path.join(S, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode, **({} if 'b' in mode else {'newline': ''})) as f:
        f.write(text)
    return path


def missent(*args, code=0, **more):
    r = subprocess.run([BUILD + '/missent', '-c', S + '/missent.conf', *args], capture_output=True, text=True, check=False, **more)
    if code is not None and r.returncode != code:
        tap.ok(False, 'missent %s: exit %d' % (' '.join(args), code), '%d\n%s%s' % (r.returncode, r.stdout[-600:], r.stderr))
    return r


def learn(*args, code=1):
    r = missent('directory', 'learn', '-o', OUT, *args, code=code)
    return r.stderr, table(OUT), table(OUT + '.conflicts.csv')


def table(path):
    with open(path, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f))


def said(rows):
    """account to the set of what is proposed for it."""
    out = {}
    for row in rows:
        out.setdefault(row['account'], set()).add('%s %s' % (row['kind'], row['value']))
    return out


write('policies/invoices.conf', 'policy "invoices" {\n\tsender = {"billing@seller.example"}\n\ton-unknown-recipient = hold\n}\n')
shutil.copy(SOURCE + '/policies/kinds.conf', S + '/policies')
write('missent.conf', 'mode = enforce\nstate-dir = "%s"\npolicy-dir = "%s/policies"\nreader { program = "%s/missent-reader" }\n'
      'directory {\n\tdigests = no\n}\n' % (S, S, BUILD))

# ---- a billing run: twelve customers, ten months; two at a public provider, one with two addresses
ADDRESS = ['ap@c%d.example' % i for i in range(12)]
ADDRESS[3], ADDRESS[4] = 'anna@gmail.com', 'bert@gmail.com'


def invoice(customer, n, to=None, year=5, more=''):
    return message('Invoice', 'Customer number: KD-77%02d1\nInvoice number: RE-%02d%03d\nOur IBAN: %s, our VAT ID: %s\n'
                   % (customer, customer, n, IBAN, VAT), to=to or ADDRESS[customer],
                   more='Date: Mon, %02d Mar 202%d 09:00:00 +0100\r\n%s' % (n % 28 + 1, year, more))


mails = [invoice(c, n, to='office@c5.example' if c == 5 and n % 2 else None) for c in range(12) for n in range(10)]
WRONG = invoice(2, 50, to=ADDRESS[7])       # to another customer
STRANGER = invoice(8, 51, to='x@nowhere.example')  # to nobody who is known
COPY = invoice(3, 52, to=ADDRESS[4])        # both at the same provider
RESELLER = [invoice(c, 60 + n, to='all@reseller.example') for c in (20, 21, 22) for n in range(3)]
CROWD = invoice(9, 53, to=', '.join('r%d@d%d.example' % (i, i) for i in range(40)))

ADDRESS.extend(['ap@old%d.example' % i for i in range(len(ADDRESS), 31)])
OLD = [invoice(30, n, year=1) for n in range(2)]


def box(texts):
    return ''.join('From billing@seller.example Thu Nov 26 10:00:00 2026\n%s\n' % t.replace('\r\n', '\n') for t in texts)


everything = mails + [WRONG, STRANGER, COPY, CROWD] + RESELLER + OLD
mbox = write('mail.mbox', box(everything))
told, rows, conflicts = learn('--from', mbox)
accounts = said(rows)
tap.same(len([a for a in accounts if a.startswith('KD77')]), 13, 'each customer is an account, with the name of his number')
tap.same(accounts['KD77011'], {'recipient ap@c1.example', 'customer-number KD-77011'}
         | {'invoice-number RE-01%03d' % n for n in range(10)}, 'with what is his')
tap.ok({'recipient ap@c5.example', 'recipient office@c5.example', 'recipient @c5.example'} <= accounts['KD77051'],
       'two at a company: the domain too', accounts['KD77051'])
tap.ok(not any('@gmail' in x and x.startswith('recipient @') for a in accounts.values() for x in a),
       'a domain of a public provider is never proposed')
tap.ok({'recipient @seller.example', 'vat-id ' + VAT} < accounts['house'] and any('iban' in x for x in accounts['house']),
       'what is in most mail is the house\'s', accounts['house'])
one = [r for r in rows if r['value'] == 'KD-77011'][0]
tap.same((one['messages'], one['first'], one['last']), ('10', '2025-03-01', '2025-03-10'), 'with support, and when first and last')
tap.same([r['messages'] for r in rows if r['value'] == 'RE-01003'], ['1'], 'an invoice number seen once has a support of one')

pairs = {(c['what'], c['value'], c['recipient']) for c in conflicts}
for customer, n, to in ((2, 50, ADDRESS[7]), (8, 51, 'x@nowhere.example'), (3, 52, ADDRESS[4])):
    for value in ('KD-77%02d1' % customer, 'RE-%02d%03d' % (customer, n)):
        tap.ok(('elsewhere', value, to) in pairs, 'a leak of the past is a conflict: %s to %s' % (value, to), pairs)
        tap.ok(not any(value in x for a, what in accounts.items() for x in what if 'recipient ' + to in what),
               '... and is not proposed for whom it went to')
c = [c for c in conflicts if c['value'] == 'KD-77021'][0]
tap.same((c['message'], c['date'], c['usual-recipient'], c['usual-messages'], c['account']),
         (mbox + ':121', '2025-03-23', 'ap@c2.example', '10', 'KD77021'), '... with the message, and whose it seems')
tap.same({p for p in pairs if p[0] == 'several' and p[1].startswith('KD')},
         {('several', 'KD-77%d1' % n, 'all@reseller.example') for n in (20, 21, 22)}, 'a reseller is one')
tap.ok(('to-many', 'KD-77091', '') in pairs and [c['recipients'] for c in conflicts if c['what'] == 'to-many'][0] == '40',
       'so is one invoice to forty', pairs)
tap.ok('all@reseller.example' not in str(rows), '... who is proposed for nobody')
tap.ok([c['what'] for c in conflicts] == sorted((c['what'] for c in conflicts),
       key=['elsewhere', 'tie', 'several', 'to-many', 'of-many'].index), 'the clearest come first')
order = [told.find(x) for x in ('conflicts:', '\nproposed', 'mode 0600')]
tap.ok(-1 < order[0] < order[1] < order[2], 'conflicts are told before proposals, and that values are in clear', told)
tap.ok('KD-77' not in told and 'ap@c' not in told, '... and nothing of it in clear', told)
tap.same([stat.S_IMODE(os.stat(f).st_mode) for f in (OUT, OUT + '.conflicts.csv')], [0o600, 0o600], 'both files are closed to others')
tap.ok('nothing was ever imported' in missent('directory', 'stats', code=None).stderr, 'the directory is as it was')

# ---- a subject that a spreadsheet would work out
BAD = invoice(2, 54, to=ADDRESS[7]).replace('Subject: ', 'Subject: =cmd|x!A0 ', 1)
_, _, formula = learn('--from', write('formula.mbox', box(mails + [BAD])))
tap.same({c['subject'][:2] for c in formula if '=' in c['subject']}, {"'="}, 'a subject is no formula')
learn('--from', mbox)
for f in (OUT, OUT + '.conflicts.csv'):
    for n in ('~', '~2'):
        if os.path.exists(f + n):
            os.unlink(f + n)

# ---- what somebody wrote there is not overwritten
with open(OUT + '.conflicts.csv', 'a') as f:
    f.write('what a person noted\n')
learn('--from', mbox)
tap.ok('what a person noted' in open(OUT + '.conflicts.csv~').read(), 'earlier conflicts are put aside, with what was noted there')
with open(OUT, 'a') as f:
    f.write('what a person noted later\n')
learn('--from', mbox)
tap.ok('what a person noted' in open(OUT + '.conflicts.csv~').read() and 'noted later' in open(OUT + '~2').read()
       and os.path.exists(OUT + '.conflicts.csv~2'), '... those of each run, and none over an older one', os.listdir(S))
for name in (OUT, OUT + '.conflicts.csv'):
    before = open(name).read()
    write(name, 'of somebody else\n')
    r = missent('directory', 'learn', '-o', OUT, '--from', mbox, code=73)
    tap.ok(open(name).read() == 'of somebody else\n' and 'no earlier proposal' in r.stderr, 'what is anything else is never overwritten', r.stderr)
    write(name, before)

# ---- a person looked through it: it imports cleanly, and judges
r = missent('directory', 'lint', OUT, code=None)
tap.ok('is no kind' not in r.stdout + r.stderr and 'bad' not in r.stderr, 'the import has nothing against its form', r.stdout + r.stderr)
r = missent('directory', 'import', OUT)
tap.ok('%d' % len(rows) in r.stdout and ' bad' not in r.stderr, 'it is imported as it is', r.stdout + r.stderr)
tap.ok(missent('directory', 'lookup', 'customer-number', 'KD-77011').stdout.strip() == 'account KD77011', 'and answers')
for name, text, code in (('right', invoice(1, 99), 0), ('wrong', invoice(1, 99, to=ADDRESS[6]), 1)):
    missent('check', write(name + '.eml', text), code=code)
tap.ok(True, 'right mail goes, and wrong mail is held')

# ---- less, and by time
_, few, _ = learn('--from', mbox, '--min-support', '3')
tap.ok('KD-77011' in str(few) and 'RE-01003' not in str(few), 'with --min-support 3 invoices seen once are left out')
told, rows_since, _ = learn('--from', mbox, '--since', '2024-01-01')
tap.ok('KD-77301' not in str(rows_since) and '2 older than --since' in told, 'with --since what is older does not count', told)
r = missent('directory', 'learn', '--from', mbox, code=1)
tap.ok(r.stdout.startswith('account,kind,value') and 'FILE.conflicts.csv' in r.stderr, 'without -o rows go to standard output')
os.makedirs(S + '/folder')
for i, text in enumerate(mails[:30]):
    write('folder/%02d.eml' % i, text)
told, other, nothing = learn('--from', S + '/folder', code=0)
tap.ok(not nothing and len(said(other)) == 4 and 'conflicts:' not in told, 'of mail that is right nothing is a conflict', told)

# ---- stopped, killed, and gone on with: the same
_, whole, whole_conflicts = learn('--from', mbox)


def digest():
    return hashlib.sha256(open(OUT, 'rb').read() + open(OUT + '.conflicts.csv', 'rb').read()).hexdigest()


want = digest()


def lines(path):
    try:
        with open(path) as f:
            return sum(1 for _ in f)
    except OSError:
        return 0


for number in (signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
    state = S + '/state.%d' % number
    p = subprocess.Popen([BUILD + '/missent', '-c', S + '/missent.conf', 'directory', 'learn', '-o', OUT, '--from', mbox, '--state', state,
                          '-j', '1'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: lines(state) > 10 or p.poll() is not None, 60)
    p.send_signal(number)
    _, err = p.communicate()
    before = lines(state)
    tap.ok(10 < before < len(everything), 'stopped by signal %d' % number, before)
    tap.same(stat.S_IMODE(os.stat(state).st_mode), 0o600, '... what was read is closed to others')
    if number != signal.SIGKILL:
        tap.ok(p.returncode == 75 and 'goes on from here' in err and 'in clear' in err, '... it says so, and that values are in clear', err)
    else:
        with open(state, 'a') as f:
            f.write('{"name":"half a li')
    os.unlink(OUT)
    told, _, _ = learn('--from', mbox, '--state', state)
    tap.ok(digest() == want and 'of them before' in told, '... gone on with, it is the same', told)
tap.ok(not os.path.isdir(CACHE) or not os.listdir(CACHE), 'nothing is left in clear of what came to its end')

# ---- what mailboxes suffer from
cut = write('cut.mbox', box(everything)[:-30])
tap.ok('ends within' in learn('--from', cut)[0], 'a mailbox that was cut is told')
closed = MIXED + '\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\nPK\3\4 no zip\r\n--b--\r\n'
write('odd/1.eml', 'From: billing@seller.example\r\nTo: ap@c1.example\r\nSubject: x\r\n' + closed)
write('odd/2.eml', 'From: billing@seller.example\r\nSubject: x\r\n\r\nCustomer number: KD-77011\r\n')
write('odd/3.eml', '')
write('odd/4.eml', invoice(1, 7).replace('Date: ', 'X-Date: '))
told, _, _ = learn('--from', S + '/odd', code=0)
tap.ok('1 not read to the end' in told and '2 without a recipient' in told and '2 without a date' in told,
       'what could not be read is counted, by why', told)
for args, words in ((('--from', S + '/nothing'), 'nothing'), ((), 'name the mail'), (('--from', mbox, '--memory', '0'), '--memory 0'),
                    (('--from', mbox, '--trail', 'x'), '--with-history'), (('--from', mbox, '--since', 'soon'), 'soon')):
    r = missent('directory', 'learn', *args, code=None)
    tap.ok(r.returncode > 1 and words in r.stderr, 'said wrongly: ' + words, r.stderr)
r = missent('directory', 'learn', '--from', mbox, '-o', S + '/no/such/folder.csv', code=73)
tap.ok('no/such' in r.stderr, 'a file that cannot be made', r.stderr)
# ---- the audit trail adds to the counts: pairs that the stored mail has not are told too
told, rows, _ = learn('--from', S + '/folder', '--with-history', code=0)
tap.ok('of the audit trail' not in told and rows, 'no trail adds nothing', told)
tap.done()
