"""Two hosts keep each other's checkpoints: who rewrites all of his trail with its key, or rolls it back, is found by the
other; and a checkpoint in the system log or the daily mail is one to compare with."""
from rig import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('two hosts', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
r = Redis(S)
tap.ok(r.start(), 'Redis starts')
KEY = S + '/shared.key'


class Host:
    def __init__(self, name):
        self.name = name
        os.makedirs(S + '/' + name)
        os.chmod(S + '/' + name, 0o755)
        self.m = Missent(S + '/' + name, policies=POLICY, mapping=MAPPING, host=name,
                         directory='redis = "unix:%s"\nredis-prefix = "t"\n' % r.socket)
        self.m.start()
        self.p = Postfix(S + '/' + name, 'unix:' + self.m.socket)
        self.p.start()
        self.m.more = self.p.settings() + self.p.desk(
            'key-file = "%s"\ndigest-to = {"kunde@alpha.example"}\ndigest-every = 1s\nnotice-from = "missent@seller.example"\n' % KEY)
        self.m.more += 'audit {\ncheckpoints = {"log", "digest", "hosts"}\ncheckpoint-every = 1s\n}\n'
        self.m.write_conf()
        self.agent = Program(self.m, 'missent-agent', '-r')
        self.log = self.m.state + '/audit'

    def kept(self):
        """Of the other host: entries, or -1."""
        found = re.search(r': (\d+) entries', self.m.tool('audit', 'witness'))
        return int(found.group(1)) if found else -1

    def size(self):
        with open(self.log + '/latest') as f:
            return int(f.read().split('\n')[1])

    def alert(self, name='witness'):
        told = re.findall(r'alert=%s, state=(\w+)' % name, self.agent.tail())
        return bool(told) and told[-1] == 'on'



Missent(S, host='any').tool('review', 'key', KEY)
one, two = Host('mx1.seller.example'), Host('mx2.seller.example')
for host in (one, two):
    host.agent.start()
tap.ok(wait_for(lambda: one.kept() > 0 and two.kept() > 0), 'each keeps the other\'s checkpoint',
       one.agent.tail() + two.agent.tail())
for i in range(3):
    one.p.send(message('right %d' % i, RIGHT))
tap.ok(wait_for(lambda: two.kept() >= 4), '... and follows it')
tap.ok(wait_for(lambda: any(x['type'] == 'witness' and 'mx1' in x['detail'] for x in map(json.loads, two.m.trail().splitlines()))),
       '... which is in its own trail')
tap.ok(not one.alert() and not two.alert(), 'nobody is alarmed')

# ---- elsewhere: the log, the mail ----
mail = wait_for(lambda: [t for _, t in one.p.copies('verify --against')])
with open(S + '/mail', 'wb') as f:
    f.write(mail[0] if mail else b'')
out = one.m.tool('audit', 'verify', '--against', S + '/mail')
tap.ok(mail and one.m.code == 0, 'the daily mail has a checkpoint, which verify takes as it is', out)
line = [x + '\n' for x in one.m.tail().splitlines() if 'checkpoint=' in x]
with open(S + '/line', 'w') as f:
    f.write(line[0] if line else '')
out = one.m.tool('audit', 'verify', '--against', S + '/line')
tap.ok(line and one.m.code == 0, '... and so has the log', out)

# ---- root writes all of it anew, with the key ----
one.agent.stop()
one.m.stop()
before = two.kept()
shutil.move(one.log, S + '/real')
os.unlink(one.log + '.checkpoint')
os.mkdir(one.log)
shutil.copymode(S + '/real', one.log)
shutil.chown(one.log, os.stat(S + '/real').st_uid, os.stat(S + '/real').st_gid)
for name in ('key', 'vkey', 'lock'):
    shutil.copy2(S + '/real/' + name, one.log + '/' + name)
    shutil.chown(one.log + '/' + name, os.stat(S + '/real').st_uid, os.stat(S + '/real').st_gid)
for i in range(before + 5):
    one.m.tool('pause', '--for', '1s', '--why', 'forged %d' % i)
    tap.ok(one.m.code == 0, 'a line is forged') if i == 0 else None
out = one.m.tool('audit', 'verify')
tap.ok(one.m.code == 0 and one.size() > before, 'a trail that was written anew with its key verifies where it is', out)
for name in ('mail', 'line'):
    out = one.m.tool('audit', 'verify', '--against', S + '/' + name)
    tap.ok(one.m.code == 1 and 'not those of the checkpoint' in out, '... but not against the ' + name, out)
one.agent.start()
tap.ok(wait_for(two.alert, 30), '... and the other host finds it, and is alarmed', two.agent.tail())
tap.ok(wait_for(lambda: one.alert('audit-fault') and 'Redis remembers' in one.agent.tail()), '... and so is its own, by what Redis keeps',
       one.agent.tail())
tap.ok(wait_for(lambda: one.agent.tail().count('Redis remembers') > 2), '... which goes on to keep the true one', one.agent.tail())
tap.ok('written anew' in two.agent.tail() and two.kept() == before, '... says why, and keeps what it had', two.agent.tail())
tap.ok(any(x['type'] == 'witness-refused' for x in map(json.loads, two.m.trail().splitlines())), '... on its own trail')

# ---- the true one comes back; then it is rolled back ----
one.agent.stop()
shutil.rmtree(one.log)
os.unlink(one.log + '.checkpoint')
shutil.copytree(S + '/real', one.log)
for folder, _, files in os.walk(one.log):
    for path in [folder] + [folder + '/' + x for x in files]:
        shutil.chown(path, os.stat(S + '/real').st_uid, os.stat(S + '/real').st_gid)
one.agent.start()
tap.ok(wait_for(lambda: not two.alert(), 30), 'with the true one the alarm ends', two.agent.tail())
shutil.copytree(one.log, S + '/earlier')
earlier = one.size()
one.m.start()
for i in range(3):
    one.p.send(message('later %d' % i, RIGHT))
tap.ok(wait_for(lambda: two.kept() > earlier), 'it goes on', two.agent.tail())
one.m.stop()
one.agent.stop()
shutil.rmtree(one.log)
shutil.copytree(S + '/earlier', one.log)
for folder, _, files in os.walk(one.log):
    for path in [folder] + [folder + '/' + x for x in files]:
        shutil.chown(path, os.stat(S + '/real').st_uid, os.stat(S + '/real').st_gid)
one.agent.start()
tap.ok(wait_for(two.alert, 30) and 'rolled back' in two.agent.tail(), 'a trail that was rolled back is found too', two.agent.tail())
out = one.m.tool('audit', 'verify')
tap.ok(one.m.code == 1 and 'rolled back' in out, '... also where it is, by what stands beside it', out)
one.m.tool('pause', '--for', '1s', '--why', 'nothing')
tap.ok(one.m.code != 0, '... and nothing is written into it')
out = two.m.tool('audit', 'witness', '--forget', one.name)
tap.ok(two.m.code == 0 and wait_for(lambda: not two.alert(), 30), 'who believes the new one says so', out)
tap.ok('witness forgotten' in two.m.trail(), '... on record')
for host in (one, two):
    tap.same(host.agent.stop(), 0, 'the agent of %s ends' % host.name)
tap.done()
