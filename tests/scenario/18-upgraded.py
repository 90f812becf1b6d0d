"""This version over the one before: what it left (records, held mail, decisions that wait, accounts, the rights of
the helper, settings of the operator) is as it was, and a helper that lost its right is told with the command."""
import hashlib
import sqlite3

from machine import *

tap = Tap()
S = scratch_folder()
m = Missent(S, mapping=MAPPING)
p = Postfix(S, 'unix:' + m.socket)
m.more = p.settings() + p.desk('two-person-above = 1\n')
m.write_conf()
m.start()
p.start()
TO = ['kunde@alpha.example', 'a@beta.example']
# What came with the last versions, oldest first.
NEWER = ['ALTER TABLE held DROP COLUMN damaged', 'ALTER TABLE held DROP COLUMN unclear',
         *['ALTER TABLE decision DROP COLUMN ' + x for x in ('rightful', 'account', 'identifier', 'assignee')],
         'DROP TABLE glance', 'DROP TABLE word']
VERSIONS = [('the one before', 0x6d736833, NEWER),
            ('two before', 0x6d736832, [*NEWER, 'ALTER TABLE recipient DROP COLUMN outcome'])]


def record(name):
    return json.loads(m.tool('held', 'show', '--json', name))


def seen(name):
    """What a person sees of it, but for what the version before did not know."""
    r = record(name)
    return (r['uid'], r['queue_id'], r['state'], r['place'], r['sender'], r['reasons'], r['cause'],
            [(x['address'], x['state']) for x in r['recipients']], [f['identifier'] for f in r['findings']],
            [(a['who'], a['what'], a['why']) for a in r['acts']],
            [(d['id'], d['verb'], d['state'], d['recipients'], d['who']) for d in r['decisions']])


def hold(subject):
    name = p.queue_id(p.send(message(subject, WRONG), to=TO))
    wait_for(lambda: name in p.held())
    return name


def make_old(mark, statements):
    db = sqlite3.connect(m.state + '/held.db')
    for statement in statements:
        db.execute(statement)
    db.execute('PRAGMA application_id=%d' % mark)
    db.commit()
    db.close()
    m.chown()


for version, mark, statements in VERSIONS:
    title = version.replace(' ', '-')
    names = [hold('%s-%d' % (title, i)) for i in range(3)]
    os.environ['SUDO_USER'] = 'anna'
    m.tool('held', 'note', names[0], '-w', 'looked at')
    out = m.tool('held', 'release', names[1], '--to', TO[0], '--to', TO[1], '-w', 'asked by phone')
    waiting = record(names[1])['decisions'][0]
    tap.same(waiting['state'], 'waiting', 'a decision waits')
    before, queue = [seen(n) for n in names], sorted(p.held())
    m.stop()
    make_old(mark, statements)
    m.start()
    tap.same([seen(n) for n in names], before, version + ': its records are as they were')
    tap.same(sorted(p.held()), queue, '... and so is what is held')
    out = m.tool('held', 'release', names[2], '--rightful', '-w', 'x')
    code = m.code
    if mark == 0x6d736832:
        tap.same(record(names[2])['recipients'][0]['outcome'], 'unproven', '... of whom nothing was written down, nothing is proven')
        tap.ok(code != 0 and 'right' in out, '... and nobody has a right', out)
    os.environ['SUDO_USER'] = 'bert'
    out = m.tool('held', 'agree', waiting['id'])
    tap.ok(m.code == 0 and p.arrived('Subject: %s-1' % title, 1), '... what waited is agreed to, and goes', out)
    out = m.tool('held', 'rejudge', names[0], '-w', 'x')
    outcomes = [x['outcome'] for x in record(names[0])['recipients']]
    tap.same((m.code, outcomes), (0, ['wrong', 'right']), '... judged again, outcomes are there')
    tap.ok('kunde@alpha.example' in m.tool('held', 'show', names[0]), '... and are shown')
    for n in (names[0], names[2]):
        os.environ['SUDO_USER'] = 'anna'
        m.tool('held', 'delete', n, '-w', 'x')
        os.environ['SUDO_USER'] = 'bert'
        for d in record(n)['decisions']:
            if d['state'] == 'waiting':
                m.tool('held', 'agree', d['id'])
    tap.same(p.held(), [], '... nothing is left')

# ---- readers of another version, laid over those that are at work ----
READERS = ['missent-reader', 'missent-reader-text']


def lay(change):
    """As dpkg does: a file of its own, which takes the name."""
    for name in READERS:
        with open(BUILD + '/' + name, 'rb') as f, open(m.dir + '/' + name + '.new', 'wb') as to:
            to.write(change(f.read()))
        os.chmod(m.dir + '/' + name + '.new', 0o755)
        os.rename(m.dir + '/' + name + '.new', m.dir + '/' + name)


def judged():
    began = time.monotonic()
    replies = [p.send(message('judged', RIGHT))[0], p.send(message('judged', WRONG))[0]]
    quick = time.monotonic() - began < 20 * SLOW * PATIENCE
    held = p.held()
    for n in held:
        subprocess.run(['postsuper', '-c', p.etc, '-d', n], stderr=subprocess.DEVNULL)
    return replies, len(held), quick


m.stop()
lay(lambda data: data)
with open(m.conf) as f:
    text = f.read()
with open(m.conf, 'w') as f:
    f.write(text.replace(BUILD + '/missent-reader', m.dir + '/missent-reader'))
m.start()
tap.same(judged(), ([250, 250], 1, True), 'mail is judged by readers')
lay(lambda data: re.sub(rb'MSFILT\d\d', b'MSFILTxx', data))
for pid in m.children():
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
tap.same(judged(), ([250, 250], 1, True), '... and by those of its own version, when they die while another is installed')
mark = m.mark()
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: 'reload failed' in m.tail(mark)) and 'of another version' in m.tail(mark)
       and 'systemctl restart missent' in m.tail(mark), '... a reload says that a restart is due', m.tail(mark))
tap.same(judged(), ([250, 250], 1, True), '... and keeps what is there')
mail = S + '/mail.eml'
with open(mail, 'w') as f:
    f.write(message('check', WRONG))
began = time.monotonic()
out = m.tool('check', '--to', TO[0], mail)
tap.ok(m.code == 78 and 'of another version' in out and time.monotonic() - began < 15 * SLOW * PATIENCE,
       'missent check says so at once', '%d %s' % (m.code, out))
m.stop()
try:
    m.start()
    tap.ok(False, 'missentd does not start with readers of another version')
except RuntimeError as e:
    tap.ok('of another version' in str(e), 'missentd does not start with readers of another version', e)
m.write_conf()
m.start()

# ---- the files ----
root = S + '/root'
P = paths()
HELPER = root + P['pkglibexecdir'] + '/missent-release'
ETC = root + P['sysconfdir'] + '/missent'


def install():
    return subprocess.run(['make', '-C', os.environ.get('BUILD', SOURCE), '-s', 'install', 'DESTDIR=' + root],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tree():
    """Of each file of the operator's: what it says, whose it is, who may."""
    found = {}
    for folder, _, files in os.walk(ETC):
        for name in files:
            path = os.path.join(folder, name)
            st = os.stat(path)
            with open(path, 'rb') as f:
                found[path[len(ETC):]] = (hashlib.sha256(f.read()).hexdigest(), st.st_uid, st.st_gid, st.st_mode)
    return found


done = install()
tap.ok(done.returncode == 0, 'make install', done.stdout)
os.makedirs(ETC + '/policies', exist_ok=True)
for name, text, mode in (('missent.conf', '# ours\nmode = enforce\n', 0o640), ('site.key', 'secret', 0o600),
                         ('policies/own.conf', POLICY, 0o644)):
    with open(ETC + '/' + name, 'w') as f:
        f.write(text)
    os.chmod(ETC + '/' + name, mode)
    os.chown(ETC + '/' + name, 0, 12345)
os.chown(HELPER, 0, 12345)
os.chmod(HELPER, 0o4750)
before = tree()
done = install()
st = os.stat(HELPER)
tap.ok(done.returncode == 0, 'make install over it', done.stdout)
tap.same((st.st_uid, st.st_gid, oct(st.st_mode & 0o7777)), (0, 12345, '0o4750'), '... leaves the helper its right')
after = tree()
tap.same({k: after.get(k) for k in before}, before, '... and what the operator wrote')
# ---- a helper without its right is found ----
for mode, warns in ((0o4750, False), (0o755, True)):
    os.chmod(HELPER, mode)
    m.more = 'release-program = "%s"\n' % HELPER
    m.write_conf()
    out = m.tool('config', 'check')
    tap.same('set-user-ID' in out and 'Run: systemd-tmpfiles --create missent.conf' in out, warns,
             'a helper of mode %o: config check %s' % (mode, 'says which command mends it' if warns else 'is content'))
os.unlink(HELPER)
out = m.tool('config', 'check')
tap.ok('no held message can be released' in out, 'one that is gone is told', out)
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
