"""A mapping that is imported, followed, verified and written by others, with a real Redis and with SQLite."""
import copy
import random
import secrets
import shutil
import socket
import sqlite3

import mapping_writer
from rig import *

tap = Tap()
S = scratch_folder()
redis = Redis(S)
redis.start()
BASE = [r for r in MAPPING] + [('AC-3', 'recipient', 'c@gamma.example'), ('AC-R', 'receives-for', 'AC-3'),
                              ('AC-R', 'recipient', 'desk@reseller.example'), ('AC-3', 'customer-number', 'C-30003')]
MANY = BASE + [('X%d' % i, 'customer-number', 'C-%d' % (500000 + i)) for i in range(60000)]


def verdict(m, body, to='kunde@alpha.example'):
    """deliver, hold, or unavailable."""
    with open(S + '/message.eml', 'w') as f:
        f.write(message('Your invoice', body, to=to))
    out = m.tool('check', '--from', 'billing@seller.example', '--to', to, S + '/message.eml')
    return {0: 'deliver', 1: 'hold'}.get(m.code, 'unavailable') if 'unavailable' not in out else 'unavailable'


def judges(m, name):
    got = (verdict(m, RIGHT), verdict(m, WRONG), verdict(m, 'customer number: C-30003\n', 'desk@reseller.example'),
           verdict(m, 'customer number: C-30003\n', 'x@beta.example'))
    tap.same(got, ('deliver', 'hold', 'deliver', 'hold'), name)


def rows_file(rows):
    path = S + '/rows.csv'
    with open(path, 'w') as f:
        f.write('account,kind,value\n' + ''.join('%s,%s,"%s"\n' % r for r in rows))
    return path


def start(m, *args, stdin=None):
    return subprocess.Popen([BUILD + '/missent', '-c', m.conf, 'directory', *args], stdin=stdin,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Wire:
    """Redis without a library, as a billing system may talk to it."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(redis.socket)
        self.file = self.socket.makefile('rb')

    def send(self, *words):
        words = [w if isinstance(w, bytes) else w.encode() for w in words]
        self.socket.sendall(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(w), w) for w in words))
        return self.answer()

    def answer(self):
        line = self.file.readline()[:-2]
        if line[:1] == b'$':
            return self.file.read(int(line[1:]) + 2)[:-2] if line != b'$-1' else None
        if line[:1] == b'*':
            return [self.answer() for _ in range(int(line[1:]))]
        assert line[:1] != b'-', line
        return line[1:]


# ---- imports that are cut off ----

def cut_off(m, name):
    """Killed at any moment of it: the mapping in use stays; the same command says so, and begins anew."""
    path = rows_file(MANY)
    said = 0
    for i in range(4):
        child = start(m, 'import', '--max-shrink', '100', path)
        if not i:
            wait_for(lambda: catches(child.pid, signal.SIGINT))
        time.sleep((0.1 + 0.25 * i) * SLOW)
        child.send_signal(signal.SIGKILL if i else signal.SIGINT)
        out = child.communicate()[0]
        if not i:
            tap.ok('the mapping in use is unchanged' in out, '%s: ^C ends an import in order' % name, out)
        judges(m, '%s: cut off, %d: judged with the mapping before' % (name, i))
        out = m.tool('directory', 'import', '--max-shrink', '100', rows_file(BASE))
        rows_file(MANY)
        tap.ok(m.code == 0, '... the next import does not wait', out)
        said += 'was cut off before; this one begins anew' in out
    child = start(m, 'import', '--max-shrink', '100', '-', stdin=subprocess.PIPE)
    with open(path) as f:  # more than a pipe holds: it has begun
        child.stdin.write(f.read(1 << 20))
        child.stdin.flush()
    child.kill()
    child.communicate()
    out = m.tool('directory', 'import', '--max-shrink', '100', rows_file(BASE))
    rows_file(MANY)
    said += 'was cut off before; this one begins anew' in out
    tap.ok(said > 0, '%s: an import says that one before was cut off' % name)
    out = m.tool('directory', 'import', '--max-shrink', '100', path)
    tap.ok('60012 entries in use' in out, '%s: a whole one' % name, out)
    tap.ok(m.tool('directory', 'verify').endswith('0 wrong\n'), '%s: ... is whole' % name)
    m.tool('directory', 'import', '--max-shrink', '100', rows_file(BASE))


# ---- following ----

def change(i, op, account, value, kind='customer-number'):
    return {'id': i, 'op': op, 'account': account, 'kind': kind, 'value': value}


def lines(m, name):
    path = S + '/changes.jsonl'
    rows = [change(1, 'put', 'AC-2', 'NEW-1'), change(2, 'put', 'AC-2', 'DE00', 'iban'), change(3, 'rename', 'AC-2', 'X'),
            change(4, 'put', 'AC-1', 'NEW-4'), change(5, 'delete', 'AC-2', 'NEW-1')]
    with open(path, 'w') as f:
        f.write('\n'.join(map(json.dumps, rows)) + '\n{"id": 6\n\n')
    aside = S + '/aside-' + name
    out = m.tool('directory', 'follow', '--source', 'billing', '--set-aside', aside, path)
    tap.ok('3 changes made, 0 were there already, 3 set aside' in out and m.code == 1, name + ': JSON lines', out)
    tap.ok(':2: an IBAN is' in out and ':3: op is neither' in out and ':6: ' in out, '... bad ones by number', out)
    with open(aside) as f:
        tap.same(f.read(), '%s\n%s\n{"id": 6\n' % (json.dumps(rows[1]), json.dumps(rows[2])), '... and set aside as they are')
    tap.same((m.tool('directory', 'lookup', 'customer-number', 'NEW-4'), m.code), ('account AC-1\n', 0), '... what is put')
    tap.same(m.tool('directory', 'lookup', 'customer-number', 'NEW-1'), 'not known\n', '... what is deleted')
    out = m.tool('directory', 'follow', '--source', 'billing', '--set-aside', aside, path)
    tap.ok('0 changes made, 5 were there already' in out, '... a second time', out)
    out = m.tool('directory', 'follow', '--source', 'billing', '--format', 'csv', '-',
                 stdin='id,op,account,kind,value\n7,put,AC-2,customer-number,"NEW-7"\n6,put,AC-2,customer-number,OLD-6\n')
    tap.ok('1 changes made, 0 were there already, 1 set aside' in out and ':3: has ID 6 and stands behind 7' in out and m.code == 1,
           name + ': CSV, and what is out of order is none that was there', out)
    out = m.tool('directory', 'import', '--max-shrink', '100', rows_file(BASE))
    tap.ok(m.code != 0 and '--position billing=ID' in out, '... an import must say which changes it has', out)
    m.tool('directory', 'import', '--max-shrink', '100', '--position', 'billing=3', rows_file(BASE))
    out = m.tool('directory', 'follow', '--source', 'billing', '--set-aside', aside, path)
    tap.ok('2 changes made, 3 were there already' in out, '... and what it has not comes again', out)
    m.tool('directory', 'import', '--max-shrink', '100', '--forget-positions', rows_file(BASE))


def stream(m, name):
    """Changes of a stream while its follower is killed again and again: each once, in order."""
    key, wire, model = 'changes-' + name, Wire(), {}
    follower = start(m, 'follow', '--stream', key)
    random.seed(13)
    n = 0
    for burst in range(8):
        for _ in range(250):
            value, account, op = 'S-%03d' % random.randrange(90), 'AC-%d' % random.randrange(1, 3), random.choice(
                ('put', 'put', 'delete'))
            # Of a value that is put and deleted in turn, a change that is lost or comes twice is seen.
            wire.send('XADD', key, '*', 'op', op, 'account', account, 'kind', 'customer-number', 'value', value)
            model.setdefault(value, set())
            (model[value].add if op == 'put' else model[value].discard)(account)
            n += 1
        time.sleep(0.05 * burst)
        follower.kill()
        follower.wait()
        follower = start(m, 'follow', '--stream', key)
    last = wire.send('XADD', key, '*', 'op', 'put', 'account', 'AC-1', 'kind', 'customer-number', 'value', 'LAST-1')
    begun = time.time()
    tap.ok(wait_for(lambda: 'AC-1' in m.tool('directory', 'lookup', 'customer-number', 'LAST-1'), 20),
           '%s: a stream of %d changes was followed through %d kills' % (name, n, 8))
    print('# the last one after %.1f s' % (time.time() - begun))
    wrong = []
    for value, accounts in sorted(model.items()):
        out = m.tool('directory', 'lookup', 'customer-number', value)
        if set(out.split()) - {'account', 'not', 'known'} != accounts:
            wrong.append((value, out, accounts))
    tap.same(wrong, [], '... nothing lost, nothing out of order')
    out = m.tool('directory', 'verify')
    tap.ok('%d entries' % (12 + 1 + sum(map(len, model.values()))) in out and out.endswith('0 wrong\n'), '... and whole', out)
    wire.send('XADD', key, '*', 'op', 'put', 'account', 'AC-2', 'kind', 'customer-number', 'value', 'SOON-1')
    begun = time.time()
    wait_for(lambda: verdict(m, 'customer number: SOON-1\ncustomer number: C-10001\n') == 'hold', 10)
    tap.ok(time.time() - begun < 5, '... a change takes effect within seconds', time.time() - begun)
    pending = redis.cli('XPENDING', key, 'missent').split('\n')[0]
    tap.ok(wait_for(lambda: redis.cli('XPENDING', key, 'missent').split('\n')[0] == '0'), '... all acknowledged', pending)
    follower.terminate()
    tap.ok('changes made' in follower.communicate()[0] and last is not None, '... and ends in order')
    m.tool('directory', 'import', '--max-shrink', '100', '--forget-positions', rows_file(BASE))


# ---- a column that slipped ----

def customers(slip=0, name='AC-%d', of=lambda i: i):
    return BASE + [row for i in range(100, 400) for row in (
        (name % of(i), 'customer-number', 'C-%d' % (80000 + i)),
        (name % of(i), 'recipient', 'kunde%d@mail%d.example' % ((i + slip) % 300, (i + slip) % 300)))]


def mail(m, i):
    return (verdict(m, 'customer number: C-%d\n' % (80000 + i), 'kunde%d@mail%d.example' % (i % 300, i % 300)),
            verdict(m, 'customer number: C-%d\n' % (80000 + i), 'kunde%d@mail%d.example' % ((i + 1) % 300, (i + 1) % 300)))


def slipped(m, name, other):
    """Refused, however it comes: each customer's mail would be right for the next.  `other`: a host with the same mapping."""
    limit = ('--max-shrink', '100')
    m.tool('directory', 'import', *limit, rows_file(customers()))
    tap.same(mail(m, 123), ('deliver', 'hold'), name + ': a mapping of many')
    keys = len(redis.cli('KEYS', '*').split())
    out = m.tool('directory', 'import', *limit, rows_file(customers(slip=1)))
    tap.ok(m.code == 65 and 'recipient: 300 of 30' in out and ' would move to accounts of others' in out,
           '... of which one column slipped is refused', out)
    tap.same((mail(m, 123), len(redis.cli('KEYS', '*').split())), (('deliver', 'hold'), keys), '... and nothing of it is left')
    out = other.tool('directory', 'import', '-n', *limit, rows_file(customers(slip=1)))
    tap.ok(other.code == 65 and '300 of 30' in out, '... by another host too', out)
    rows = customers()
    out = m.tool('directory', 'import', *limit, rows_file(rows[:len(BASE) + 300] + customers(slip=1)[len(BASE) + 300:]))
    tap.ok(m.code == 65 and '149 of 30' in out, '... of half the file', out)
    out = m.tool('directory', 'import', *limit, rows_file(customers(name='NEW-%d')))
    tap.ok(m.code == 0 and 'others: 0; 300 accounts renamed with 600;' in out, '... renamed accounts are not', out)
    out = m.tool('directory', 'import', *limit, rows_file(customers(name='NEW-%d', of=lambda i: max(i, 103))))
    tap.ok(m.code == 0 and 'others: 0; 3 accounts merged into others with 6;' in out, '... nor a merger', out)
    out = m.tool('directory', 'import', *limit, '--accept-moved', '--why', 'the CRM says so', rows_file(customers(slip=1, name='NEW-%d')))
    tap.same((m.code, mail(m, 123)), (0, ('hold', 'deliver')), '... nor what is accepted')
    m.tool('directory', 'import', *limit, rows_file(BASE))


# ---- a writer of somebody else's ----

def written(m):
    """The rows of BASE as another program writes them."""
    with open(m.dir + '/site.key') as f:
        site_key = bytes.fromhex(f.read().strip())
    generation = secrets.token_hex(8)
    w = mapping_writer.Mapping(site_key, generation)
    mail = 'a:other=email/'
    w.add('AC-1', 'r:recipient=kunde@alpha.example', [mail + 'kundealphaexample'], [('email', 'kundealphaexample')])
    w.add('AC-1', 'i:customer-number=C10001', [], [('customer-number', 'c10001')])
    domestic = ['370400440532013000', '37040044532013000']
    w.add('AC-1', 'i:iban=DE89370400440532013000', ['a:other=domestic/' + other for other in domestic],
          [('iban', value.lower()) for value in ['DE89370400440532013000'] + domestic])
    w.add('AC-2', 'r:recipient=@beta.example')
    w.add('AC-2', 'i:customer-number=C10002', [], [('customer-number', 'c10002')])
    w.add('house', 'r:recipient=@seller.example')
    w.add('AC-3', 'r:recipient=c@gamma.example', [mail + 'cgammaexample'], [('email', 'cgammaexample')])
    w.add('AC-R', 'd:AC-3')
    w.add('AC-R', 'r:recipient=desk@reseller.example', [mail + 'deskresellerexample'], [('email', 'deskresellerexample')])
    w.add('AC-3', 'i:customer-number=C30003', [], [('customer-number', 'c30003')])
    for i in range(400):
        w.add('X%d' % i, 'i:customer-number=C%d' % (700000 + i), [], [('customer-number', 'c%d' % (700000 + i))])
    rows = [r for r in BASE if r[1] not in ('subscription-id', 'vat-id')]
    return w, generation, rows + [('X%d' % i, 'customer-number', 'C-%d' % (700000 + i)) for i in range(400)]


def take_into_use(m, kind, parts, state, generation):
    if kind == 'Redis':
        mapping_writer.to_redis(Wire().send, 'missent', parts, state, generation)
    else:
        with contextlib.closing(sqlite3.connect(m.state + '/directory.db')) as db:
            mapping_writer.to_sqlite(db, parts, state, generation)
        m.chown()


def by_others(m, kind):
    w, generation, rows = written(m)
    parts, state = w.write('billing')
    take_into_use(m, kind, parts, state, generation)
    out = m.tool('directory', 'verify', '--against', rows_file(rows))
    tap.ok(m.code == 0 and '%d rows are in the mapping, 0 are not' % len(rows) in out, kind + ': a mapping of another program',
           out)
    judges(m, '... is judged by')
    out = m.tool('directory', 'import', '-n', '--max-shrink', '100', rows_file([r for r in rows if r[2] != 'C-700007'] + [
        ('X8', 'customer-number', 'C-700007')]))
    tap.ok('%d as before, 0 new, 0 gone, moved to accounts of others: 0; 1 account merged into others with 1' % (len(rows) - 1) in out,
           '... and compared with', out)
    m.tool('directory', 'put', 'AC-2', 'customer-number', 'PUT-1')
    tap.ok('account AC-2' in m.tool('directory', 'lookup', 'customer-number', 'PUT-1'), '... can be changed')
    tap.ok(m.tool('directory', 'verify').endswith('0 wrong\n'), '... and stays whole')
    # What can be done wrong is named.
    w, generation, rows = written(m)
    parts, state = w.write('billing')
    parts['s:2'], parts['s:3'] = parts['s:3'], parts['s:2']
    parts['m:0'] = parts['m:0'][:-1] + bytes([parts['m:0'][-1] ^ 1])
    take_into_use(m, kind, parts, state, generation)
    out = m.tool('directory', 'verify')
    tap.ok(m.code == 1 and 's:2 is damaged' in out and 's:3 is damaged' in out and 'm:0 is damaged' in out,
           kind + ': parts that are wrong are named', out)
    w, generation, rows = written(m)
    w.ke = bytes(32)
    w.add('AC-9', 'i:customer-number=C90009')
    parts, state = w.write('billing')
    take_into_use(m, kind, parts, state, generation)
    tap.ok(m.tool('directory', 'verify').endswith('0 wrong\n') and m.code == 0, '... digests cannot be seen to be wrong')
    out = m.tool('directory', 'verify', '--against', rows_file(rows + [('AC-9', 'customer-number', 'C-90009')]))
    tap.ok(m.code == 1 and 'rows.csv:%d: the mapping does not have it' % (len(rows) + 2) in out,
           '... but against a file', out[-300:])
    w, generation, rows = written(m)
    w.marks = w.marks[:-1]
    parts, state = w.write('billing')
    take_into_use(m, kind, parts, state, generation)
    out = m.tool('directory', 'verify', '--against', rows_file(rows))
    tap.ok(m.code == 1 and 'has no mark of it' in out, '... nor can marks that are missing', out[-300:])
    m.tool('directory', 'import', '--max-shrink', '100', rows_file(BASE))
    judges(m, kind + ': after an import of our own')


# ---- an account that goes ----

def leaves(m, kind):
    """Killed at any moment of it: all of it is there, or nothing."""
    rows = BASE + [('GONE', 'customer-number', 'C-%d' % (700000 + i)) for i in range(2000)] + \
        [('GONE', 'recipient', '@gone.example'), ('GONE', 'receives-for', 'AC-3'), ('AC-R', 'receives-for', 'GONE')]
    whole = '2001 of its own (identifiers, recipients, names), receives for 1, received for by 1 would go'
    remove = ('remove', '--yes', '--why', 'has left', 'GONE')
    seen = set()
    m.load(rows)
    for i in range(14):
        child = start(m, *remove)
        if not i:
            began = time.monotonic()
            child.wait()
            took = time.monotonic() - began
        else:
            time.sleep(took * i / 12)
        child.kill()
        child.wait()
        out = m.tool('directory', 'remove', '-n', 'GONE')
        got = 'all' if m.code == 0 and whole in out else 'nothing' if m.code == 1 and 'knows no account' in out else out
        seen.add(got if m.tool('directory', 'verify').endswith('0 wrong\n') else 'not whole')
        if got != 'all':
            m.load(rows)
    tap.same(seen, {'all', 'nothing'}, kind + ': an account that goes is there, or is gone, whoever is killed')
    # Others change the mapping meanwhile, the account that goes too.
    path = S + '/meanwhile'
    with open(path, 'w') as f:
        for i in range(400):
            f.write(json.dumps({'id': i + 1, 'op': 'put', 'account': 'GONE' if i < 200 else 'STAYS', 'kind': 'customer-number',
                                'value': 'C-%d' % (800000 + i)}) + '\n')
    m.load(rows)
    follower = start(m, 'follow', '--source', 'meanwhile', path)
    out = m.tool('directory', *remove)
    tap.ok(m.code == 0 and 'removed: ' in out, '... also while others change it', out)
    follower.wait()
    m.tool('directory', *remove)
    m.tool('directory', 'remove', '-n', 'GONE')
    tap.ok(m.code == 1 and m.tool('directory', 'verify').endswith('0 wrong\n'), '... of which nothing is lost')
    out = m.tool('directory', 'remove', '-n', 'STAYS')
    tap.ok(m.code == 0 and '200 of its own' in out, '... nor of another account', out)
    judges(m, kind + ': ... who else there is is judged as before')
    m.tool('directory', 'import', '--max-shrink', '100', '--forget-positions', rows_file(BASE))


# ---- one part that is lost, far from every message ----

def lost(m):
    m.load(MANY)
    m.start()
    mark = m.mark()
    g = redis.cli('GET', 'missent:current')
    redis.cli('DEL', 'missent:%s:s:1500' % g)
    tap.ok(wait_for(lambda: 's:1500 of the mapping is lost' in m.tail(mark)), 'one lost key of 2,000 is noticed by missentd')
    time.sleep(3)
    tap.same(m.tail(mark).count('s:1500'), 1, '... and told once')
    m.load(MANY)
    mark = m.mark()
    time.sleep(4)
    tap.ok('of the mapping is lost' not in m.tail(mark), '... until another is in use', m.tail(mark))
    m.stop()


n = Missent(S, policies=POLICY, mapping=BASE)
cut_off(n, 'SQLite')
lines(n, 'SQLite')
slipped(n, 'SQLite', n)
leaves(n, 'SQLite')
by_others(n, 'SQLite')
T = scratch_folder()
m = Missent(T, policies=POLICY, mapping=BASE, directory='backend = redis\nredis = "unix:%s"\nverify-every = 2s\n' % redis.socket)
shutil.copytree(m.dir, m.dir + '-second')
second = copy.copy(m)
second.dir += '-second'
second.conf = second.conf.replace(m.dir, second.dir)
with open(m.conf) as before, open(second.conf, 'w') as after:
    after.write(before.read().replace(m.dir, second.dir))
cut_off(m, 'Redis')
lines(m, 'Redis')
slipped(m, 'Redis', second)
stream(m, 'Redis')
leaves(m, 'Redis')
by_others(m, 'Redis')
lost(m)
redis.stop()
tap.done()
