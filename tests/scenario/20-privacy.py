"""After a day of mixed mail every value of the mapping and of the mails is searched for in what missent keeps and says
beside the records that reviewers need: the guard's state (SQLite and Redis), the audit trail, numbers and metrics, logs,
reports and exports.

A hit is a value as it was written or without its separators, whole, whatever its case; so are the unkeyed digests of
it.  Files are searched as they are and, where they are packed or written in base64 or hexadecimal digits, as what is
in them.  Masked forms (the first letter of a word and of a domain, the last two characters of a number) are none.
"""
import base64
import hashlib
import random
import threading
import zlib

from rig import *
from servers import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('a day of mail', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
chance = random.Random(20261127)
LETTERS = 'bcdfghjklmnpqrstvwxz'
secrets = {}  # value, to what it is
MAILS = int(os.environ.get('MS_MAILS', 150))  # of each host


def secret(value, what):
    secrets[value] = what
    return value


def word(n=7):
    """One that stands nowhere else."""
    return ''.join(chance.choice(LETTERS) + chance.choice('aeiou') for _ in range(n // 2 + 1))


def iban():
    body = ''.join(chance.choice('0123456789') for _ in range(18))
    check = 98 - int(body + '131400') % 97
    return 'DE%02d%s' % (check, body)


class Customer:
    def __init__(self, i):
        self.account = secret('Kto-' + word(), 'account')
        self.domain = secret(word() + '.example', 'domain')
        self.address = secret('%s.%s@%s' % (word(5), word(5), self.domain), 'recipient')
        self.number = secret('K-%d%s%d' % (chance.randrange(100, 999), word(4).upper(), chance.randrange(100, 999)), 'customer number')
        self.iban = secret(iban(), 'IBAN')
        self.invoice = secret('RX%s%d' % (word(5).upper(), chance.randrange(1000, 9999)), 'invoice number')
        self.email = secret('%s@%s' % (word(), self.domain), 'e-mail')
        self.rows = [(self.account, 'recipient', self.address), (self.account, 'customer-number', self.number),
                     (self.account, 'iban', self.iban), (self.account, 'invoice-number', self.invoice),
                     (self.account, 'email', self.email)]


people = [Customer(i) for i in range(40)]
SENDER = secret(word() + '@seller.example', 'sender')
POLICY = '''policy "bills" {
	sender = {"%s"}
	kinds = {"customer-number", "invoice-number", "iban", "email"}
	require = {"customer-number", "iban"}
	max-recipients = 5
	max-identifiers = 8
}
policy "tags" {
	sender = {"tag@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = tag
}
''' % SENDER
MAPPING = [row for c in people for row in c.rows] + [('house', 'recipient', '@seller.example')]


# ---- mail ----
def text_of(c, more=''):
    noun = secret(word(9), 'word of a mail')
    name = secret('%s %s' % (word(5).title(), word(7).title()), 'name in a mail')
    return 'Dear %s,\nabout the %s:\nyour customer number: %s\ninvoice number: %s\nIBAN: %s\n%s\n%s' % (
        name, noun, c.number, c.invoice, ' '.join(re.findall('.{1,4}', c.iban)), c.email, more)


def part(kind, name, data, code='base64'):
    return '--b\nContent-Type: %s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="%s"\n\n%s' % (
        kind, name, base64.encodebytes(data).decode())


def mail(c, about, kind):
    """(subject, body, further headers)"""
    body, subject = text_of(about), secret('Rechnung %s' % word(9), 'subject')
    if kind == 'html':
        return subject, '<p>' + body.replace('\n', '<br>') + '</p>', 'Content-Type: text/html\r\n'
    if kind in ('csv', 'zip', 'odd name', 'encrypted'):
        file_name = secret('%s-%s.csv' % (about.invoice, word(5)), 'name of a file') if kind == 'odd name' else 'list.csv'
        data = ('customer number;IBAN\n' + ''.join('%s;%s\n' % (x.number, x.iban) for x in chance.sample(people, 12))).encode()
        if kind == 'zip':
            with tempfile.TemporaryFile() as f:
                import zipfile
                with zipfile.ZipFile(f, 'w') as z:
                    z.writestr(file_name, data)
                f.seek(0)
                data, file_name = f.read(), 'list.zip'
        if kind == 'encrypted':
            data, file_name = b'PK\3\4' + bytes([20, 0, 1, 0]) + os.urandom(300), 'locked.zip'
        return subject, '--b\nContent-Type: text/plain\n\n%s\n%s--b--\n' % (body, part('application/octet-stream', file_name, data)), MIXED
    if kind == 'pdf':
        return subject, pdf('customer number: %s IBAN %s' % (about.number, about.iban)), MIXED
    if kind == 'header':
        return '%s %s' % (subject, about.number), body, 'X-Customer: %s\r\nReply-To: %s\r\n' % (about.iban, about.email)
    if kind == 'list':
        return subject, body + ''.join(text_of(x) for x in chance.sample(people, 10)), ''
    return subject, body, ''


KINDS = ['plain', 'html', 'csv', 'zip', 'odd name', 'encrypted', 'pdf', 'header', 'list', 'unknown', 'many', 'stranger', 'empty sender', 'tag']


def envelope(i):
    kind = KINDS[i % len(KINDS)]
    c = chance.choice(people)
    about = c if i % 3 else chance.choice(people)
    to = [c.address]
    if kind == 'unknown':
        about = Customer(0)
    if kind == 'many':
        to = [x.address for x in chance.sample(people, 8)]
    if kind == 'stranger':
        to = [secret('%s@%s.example' % (word(), word()), 'recipient')]
    sender = {'empty sender': '', 'tag': 'tag@seller.example'}.get(kind, SENDER)
    subject, body, more = mail(c, about, kind)
    return sender, to, message(subject, body, to[0], SENDER, more)


GUARD = 'fan-out = 3\nfan-in = 3\nrepeat = 2\nbreaker = 0\n'
node = Node(S, 'rdbcompression no').start()
site = {'sqlite': '', 'redis': 'backend = redis\nredis = "%s"\n' % node.address}
hosts, postfixes, agents = {}, {}, {}
for name, directory in site.items():
    os.makedirs(S + '/' + name)
    os.chmod(S + '/' + name, 0o755)
    m = hosts[name] = Missent(S + '/' + name, policies=POLICY, mapping=MAPPING, directory=directory, guard=GUARD,
                              host=name + '.seller.example')
    m.start()
    p = postfixes[name] = Postfix(S + '/' + name, 'unix:' + m.socket)
    p.start()
    m.more = p.settings() + p.desk('keep-records = 1s\nexpire-warning = 1s\n')
    m.more += 'metrics {\ntextfile = "%s/metrics.prom"\ntextfile-every = 1s\n}\naudit {\ncheckpoint-every = 1s\n}\n' % m.state
    m.write_conf()
    agents[name] = Program(m, 'missent-agent', '-r')
    agents[name].start()


def send(name, begin, end):
    for i in range(begin, end):
        sender, to, text = mails[i]
        if i % 5:
            verdict(hosts[name].socket, text, to, sender)
        else:
            postfixes[name].send(text, to, sender)


mails = [envelope(i) for i in range(MAILS)]
threads = [threading.Thread(target=send, args=(name, k * MAILS // 2, (k + 1) * MAILS // 2)) for name in hosts for k in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()

# ---- what reviewers and the clock do ----
for name, m in hosts.items():
    held = postfixes[name].held()
    tap.ok(len(held) >= 6, 'mail is held on ' + name, m.tail()[-2000:])
    for verb, queue in zip(('show', 'release', 'delete', 'return', 'note'), held):
        more = ['-w', 'seen by a test'] if verb in ('note', 'delete', 'return', 'release') else []
        more += ['--others', str(len(json.loads(m.tool('held', 'show', '--json', queue))['recipients']))] if verb == 'release' else []
        m.tool('held', verb, queue, *more)
    m.tool('held', 'show', '--reveal', held[5])
    tap.ok(wait_for(lambda: 'forget' in m.trail(), 40), '... some are forgotten again', m.trail()[-500:])
    m.tool('guard', 'reset', '--all', '--why', 'test')
lines = sum((m.audit() for m in hosts.values()), [])
seen = {x['verdict'] for x in lines}
tap.ok(len(lines) >= 1.8 * MAILS and {'deliver', 'hold', 'tag'} <= seen, 'mail of every kind was judged', (len(lines), seen))
reasons = {r['reason'] for x in lines for r in x['reasons']}
tap.ok({'mismatch', 'oversized', 'unreadable'} <= reasons and {'fan-out', 'fan-in', 'repeat', 'unusual', 'list'} & reasons,
       '... for many reasons', reasons)

# ---- where it is searched ----
texts = {}
for name, m in hosts.items():
    since = '2026-01-01'
    reports = [('status',), ('guard', 'status'), ('incident', 'report', '--from', since), ('incident', 'report', '--from', since, '--html'),
               ('incident', 'report', '--from', since, '--json'), ('incident', 'register', '--json'), ('incident', 'register'),
               ('audit', 'export', '--ecs'), ('audit', 'export', '--ocsf'), ('audit', 'verify'), ('audit', 'checkpoint'),
               ('audit', 'show', '3'), ('audit', 'prove', '3'), ('directory', 'stats'), ('doctor',), ('doctor', '--json')]
    for args in reports:
        texts['%s: missent %s' % (name, ' '.join(args))] = m.tool(*args).encode()
    texts[name + ': log'] = m.tail().encode() + agents[name].tail().encode()
    wait_for(lambda: os.path.exists(m.state + '/metrics.prom'))
    agents[name].stop()
    m.stop()
    for folder, _, files in os.walk(m.state):
        for file in files:
            path = folder + '/' + file
            # held mail, its records and the page's accounts are for reviewers; a socket is no file
            if re.search(r'/(held[^/]*\.db|spool/|agent/)', path) or not os.path.isfile(path):
                continue
            with open(path, 'rb') as f:
                texts['%s: %s' % (name, os.path.relpath(path, m.state))] = f.read()
node.cli('SAVE')
with open(node.dir + '/dump.rdb', 'rb') as f:
    texts['Redis'] = f.read()
tap.ok(len(texts['Redis']) > 20000 and any('guard' in x for x in texts) and sum('tile/' in x or 'head.' in x for x in texts) >= 2
       and any(x.endswith('metrics.prom') for x in texts), 'all of it is there', sorted((x, len(t)) for x, t in texts.items()))


# ---- the search ----
def unfolded(data):
    """As it is, and what is in it."""
    yield data
    for start in re.finditer(rb'\x1f\x8b\x08', data):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(31).decompress(data[start.start():])
    for run in re.findall(rb'[A-Za-z0-9+/=_-]{16,}', data):
        for shift in range(4):
            with contextlib.suppress(ValueError):
                yield base64.b64decode(run[shift:].translate(bytes.maketrans(b'-_', b'+/')).rstrip(b'=') + b'==')
    for run in re.findall(rb'(?:[0-9A-Fa-f]{2}){8,}', data):
        yield bytes.fromhex(run.decode())


def forms(value):
    """Of a value; those without separators only where they stay long enough to say something."""
    plain, compact = value.lower(), re.sub('[^0-9a-z]', '', value.lower())
    return {plain} | ({compact} if len(compact) >= 8 else set())


def digests(value):
    out = set()
    for form in forms(value) | {value}:
        for make in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.blake2b, lambda x: hashlib.blake2b(x, digest_size=32)):
            out.add(make(form.encode()).digest()[:8])
    return out


STEP = 8  # bytes; no form of a value and no digest is shorter
wanted, prefixes = {}, {}
for value in secrets:
    for form in forms(value):
        assert len(form.encode()) >= STEP, value
        wanted.setdefault(form.encode()[:STEP], []).append((form.encode(), value))
    for d in digests(value):
        prefixes[d] = value


def hits(data):
    everything = b'\n'.join(unfolded(data))
    found = set()
    for version in (everything.lower(), everything.lower().replace(b'\0', b'')):  # UTF-16 too
        for i in range(len(version)):
            for form, value in wanted.get(version[i:i + STEP], ()):
                if version.startswith(form, i):
                    found.add((secrets[value], value))
    for i in range(len(everything)):
        value = prefixes.get(everything[i:i + STEP])
        if value:
            found.add(('digest of ' + secrets[value], value))
    return found


one = people[0]
proofs = {'plain': b'..' + one.iban.lower().encode(), 'spaced': ' '.join(re.findall('.{1,4}', one.number)).encode() and one.number.encode(),
          'packed': zlib.compressobj(wbits=31).compress(b''), 'base64': base64.b64encode(b'x' + one.address.encode()),
          'hex': one.account.encode().hex().encode(), 'UTF-16': one.email.encode('utf-16'),
          'digest': b'##' + hashlib.sha256(one.number.encode()).digest(),
          'hexadecimal digest': hashlib.sha1(one.iban.encode()).hexdigest().encode()}
pack = zlib.compressobj(wbits=31)
proofs['packed'] = b'junk' + pack.compress(one.invoice.encode()) + pack.flush()
tap.same([x for x, data in proofs.items() if not hits(data)], [], 'what is searched with finds a value in each form')
# What the operator wrote in the policies stands in the texts of them that are kept, and nowhere else.
written = {value for value in secrets if value.lower() in POLICY.lower()}
bad = {name: sorted(found)[:5] for name, data in texts.items()
       for found in [{x for x in hits(data) if x[1] not in written or 'audit.texts/policies-' not in name}] if found}
tap.ok(not bad, 'of %d values none is in %d files and texts (%d bytes)' % (len(secrets), len(texts), sum(map(len, texts.values()))),
       '\n'.join('%s: %s' % x for x in sorted(bad.items())))
tap.done()
