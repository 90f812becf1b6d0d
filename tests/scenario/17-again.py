"""What comes a second time: two agents for one host, a ledger from a backup, a token that was spent, a clock that
jumps.  Each has one outcome, and it is told."""
import sqlite3

from rig import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('what comes a second time', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
r = Redis(S)
tap.ok(r.start(), 'Redis starts')
KEY = S + '/shared.key'
SPLIT = POLICY + '''
policy "split" {
	sender = {"split@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = split
}
'''


class Host:
    def __init__(self, folder, name, redis=True):
        os.makedirs(S + '/' + folder)
        os.chmod(S + '/' + folder, 0o755)
        self.m = Missent(S + '/' + folder, policies=SPLIT, mapping=MAPPING, host=name,
                         directory='redis = "unix:%s"\nredis-prefix = "t"\n' % r.socket)
        self.m.start()
        self.p = Postfix(S + '/' + folder, 'unix:' + self.m.socket)
        self.p.start()
        self.m.more = self.p.settings() + self.p.desk('key-file = "%s"\n' % KEY if redis else '')
        self.m.write_conf()
        self.agent = Program(self.m, 'missent-agent', '-r')

    def held(self, *args):
        return self.m.tool('held', *args)

    def hold(self, subject, sender='billing@seller.example', to=('kunde@alpha.example',)):
        name = queue_id(self.p.send(message(subject, WRONG, sender=sender), to=to, sender=sender))
        wait_for(lambda: name in self.p.held() or 'split' in sender)
        return name


def refuses(host, words, name):
    """A second agent does not start, and says why; nothing is taken from the first."""
    second = Program(host.m, 'missent-agent', '-r')
    second.log += '.second'
    try:
        second.start()
        said = 'it started'
    except RuntimeError as why:
        said = str(why)
    second.stop()
    tap.ok(words in said, name, said)


a = Host('a', 'mx.seller.example')
a.m.tool('review', 'key', KEY)
a.m.chown()
a.agent.start()

# ---- two agents ----
refuses(a, 'Address already in use', 'a second agent on the same host does not start')
name = a.hold('first')
out = a.held('release', name, '--others', '1', '--why', 'checked')
tap.ok(a.p.arrived('first') == 1, '... and the first one goes on', out)
b = Host('b', 'mx.seller.example')
refuses(b, 'another machine answers for host mx.seller.example', 'nor does that of another machine with the same name')
a.agent.stop()
a.agent.start()
tap.ok(a.agent.process.poll() is None, '... but the same machine may start again at once')
b.m.stop()
b.p.stop()

# ---- two filters ----
with contextlib.closing(socket.create_server(('127.0.0.1', 0))) as taken:
    port = taken.getsockname()[1]
    for spec, words in (('unix:' + a.m.socket, 'another filter listens on'), ('unix:%s/none/s' % S, 'is its directory there'),
                        ('inet:%d@127.0.0.1' % port, 'has another program the port'),
                        ('inet:%d@192.0.2.1' % port, "is the address this host's")):
        done = subprocess.run([BUILD + '/missentd', '-c', a.m.conf, '-s', spec], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        tap.ok(done.returncode == 69 and words in done.stdout, 'missentd does not start on %s, and asks' % spec.split(S)[0], done)

# ---- a ledger from a backup ----
DB = a.m.state + '/held.db'


def backup(to):
    with contextlib.closing(sqlite3.connect(DB)) as source, contextlib.closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


def restore(source):
    """As an administrator would: everything stopped, the file put in place."""
    a.agent.stop()
    a.m.stop()
    for end in ('', '-wal', '-shm'):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(DB + end)
    shutil.copy(source, DB)
    a.m.chown()
    a.m.start()
    a.agent.start()


before = a.hold('before')
backup(S + '/old.db')
a.held('release', before, '--others', '1', '--why', 'checked')
tap.same(a.p.arrived('before'), 1, 'released before the ledger is restored')
later = a.hold('later')
splits = a.hold('later split', sender='split@seller.example', to=['kunde@alpha.example', 'a@beta.example'])
tap.same(a.p.arrived('later split'), 1, '... and another is split: one gets it')
restore(S + '/old.db')
out = a.held('release', before, '--others', '1', '--why', 'again')
tap.ok(a.m.code != 0 and 'gone' in out, 'what was released is not released again', out)
tap.same(a.p.arrived('before', 2, seconds=1), 1, '... nor sent twice')
out = a.held('list')
tap.ok('without a record here' in out and later in out, 'what is held without a record is told', out)
tap.ok(later in a.p.held(), '... and stays where it is', a.p.queue())
out = a.held('adopt', later)
tap.ok(a.m.code == 0, '... it gets a record', out)
out = a.held('list')
tap.ok('without a record here' not in out and later in out, '... and is listed as others are', out)
left = a.hold('left')
db = sqlite3.connect(DB, timeout=30)
with db:
    db.execute("UPDATE held SET state = 'returned' WHERE queue_id = ?", (left,))
    db.execute("UPDATE recipient SET state = 'returned' WHERE held = (SELECT id FROM held WHERE queue_id = ?)", (left,))
db.close()
out = a.held('list')
tap.ok('one that is over' in out and left in out, 'what is on hold though its record is over is told', out)
out = a.held('adopt', left)
tap.ok(a.m.code == 0, '... it gets a record', out)
out = a.held('release', out.split()[-1], '--others', '1', '--why', 'checked')
tap.ok(a.m.code == 0 and a.p.arrived('left') == 1, '... which is decided on', out)
spool = a.m.state + '/spool'
copies = [f for f in os.listdir(spool) if os.path.isfile(spool + '/' + f)]
tap.same(len(copies), 1, 'the copy of the split one is there')
for f in copies:
    os.utime(spool + '/' + f, (1, 1))
a.agent.stop()
a.agent.start()
aside = spool + '/unrecorded'
tap.ok(wait_for(lambda: os.path.isdir(aside) and os.listdir(aside) == copies), 'it is set aside, not removed', os.listdir(spool))
tap.ok(wait_for(lambda: any(e['event'] == 'set aside' for e in a.m.audit(events=True))), '... and that is on record',
       a.m.audit(events=True)[-3:])

# ---- a token that was spent ----
tokens = S + '/tokens.db'
name = a.hold('token', sender='split@seller.example', to=['kunde@alpha.example', 'a@beta.example'])
out = a.held('list', '--json')
held = [json.loads(line) for line in out.splitlines() if line.startswith('{')]
spooled = [h for h in held if h.get('place') == 'spool' and h['state'] == 'held']
tap.ok(len(spooled) == 1, 'a copy waits in the spool', out)
backup(tokens)
uid = spooled[0]['uid']
a.held('release', uid, '--others', '1', '--why', 'checked')
tap.same(a.p.arrived('Subject: token', 2), 2, 'it is released')
restore(tokens)
out = a.held('release', uid, '--others', '1', '--why', 'checked again')
tap.same(a.p.arrived('Subject: token', 3, seconds=1), 2, 'from a restored ledger it is not sent again: its copy is gone')
tap.ok(a.m.code != 0 and 'spool' in out, '... and that is said', out)
with contextlib.closing(sqlite3.connect(DB)) as db:
    unspent = db.execute('SELECT count(*) FROM token WHERE spent=0').fetchone()[0]
tap.same(unspent, 0, '... and no token is left that could be spent')
reply = a.p.send(message('replayed', WRONG, more='X-Missent-Release: ' + '0123456789abcdef' * 4 + '\r\n'))
tap.ok(queue_id(reply) in a.p.held(), 'a token that was never made lets nothing go', reply)
tap.done()
